"""Finds and checks the sources of text: files in installed packages or below `data/`."""

import importlib.metadata
from pathlib import Path

from pipeline.core import packages
from pipeline.core.errors import DataError
from pipeline.core.fetched_addresses import shown_address
from pipeline.core.files import sha256_tree
from pipeline.core.licences import is_allowed, misspelling
from pipeline.core.product import Requirements
from pipeline.core.sections import Checkpoint, Source
from pipeline.data.rows import is_folder_of_parts
from pipeline.data.wanted_columns import composed


def find(source: Source, data: Path) -> tuple[Path, str]:
    """The file of a source, and its name in the manifest; `data` is the folder of files.

    Raises:
        DataError: the package or file does not exist, or the path leaves its folder.
    """
    if source.kind == "package" and source.package is not None:
        file = packages.locate(source.package, source.path)
        name = f"{source.package} {importlib.metadata.version(source.package)}: {source.path}"
    else:
        file, name = data / source.path, f"{data.name}/{source.path}"
        _check_below(source, data)
    if source.url is not None:
        return _fetched(source, file)
    file = same_name(file)
    if not file.is_file() and not is_folder_of_parts(file):
        files = [path for path in sorted(data.rglob("*")) if path.is_file()]
        there = [path.relative_to(data).as_posix() for path in files if path.name[0] != "."]
        raise DataError(
            f"source {source.name}: there is no file {name}",
            expected=f"one of: {', '.join(there) or f'(nothing is in {data.name}/ yet)'}",
            next_step=f"put the file into {data.name}/, or correct its `path` in the product file",
        )
    return file, name


def _fetched(source: Source, file: Path) -> tuple[Path, str]:
    """The file that was fetched from a source's address, and the address as it may be shown."""
    shown = shown_address(str(source.url))
    if not file.is_file():
        raise DataError(
            f"source {source.name}: {shown} was not fetched yet",
            expected="its file in data/, for a stage reads no network",
            next_step="run `modelyard data fetch`, or `make pipeline`, which fetches it first",
        )
    return file, shown if source.query is None else f"{shown}: {' '.join(source.query.split())}"


def same_name(path: Path) -> Path:
    """The path, or the one file beside it whose name is the same in Unicode's composed form.

    A Mac writes names in parts, and so does what it packs; on a screen both look the same.
    """
    if path.exists() or not path.parent.is_dir():
        return path
    same = [other for other in path.parent.iterdir() if composed(other.name) == composed(path.name)]
    return same[0] if len(same) == 1 else path


def bytes_of(file: Path) -> int:
    """The size of a file, or of all files in a folder, in bytes."""
    files = [file] if file.is_file() else [part for part in file.rglob("*") if part.is_file()]
    return sum(part.stat().st_size for part in files)


def _check_below(source: Source, data: Path) -> None:
    """Raises DataError where the path leaves `data`, or goes through a link that DVC does not follow.

    The file itself may be a link, and so may `data`: DVC and our hashes read what they lead to.
    """
    path = Path(source.path)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(
            f"source {source.name}: the path {source.path} leaves {data.name}/",
            expected=f"a path below {data.name}/, so that the data are versioned with the project",
            next_step=f"copy or link the file into {data.name}/ and name it from there",
        )
    for folder in path.parents:
        if folder.parts and (data / folder).is_symlink():
            raise DataError(
                f"source {source.name}: {data.name}/{folder.as_posix()} is a link to a folder",
                expected=f"folders in {data.name}/, for DVC does not look into linked ones",
                next_step=f"link the file itself, or the whole of {data.name}/",
            )


def waiver(origin: Source | Checkpoint, requirements: Requirements) -> str | None:
    """The reason of its waiver, or None for an allowed licence; `DataError` without either."""
    name, allowed = origin.name, requirements.allowed_licences
    if is_allowed(origin.licence, requirements):
        return None
    if reason := requirements.licence_waivers.get(name, "").strip():
        return reason
    fault = misspelling(origin.licence, requirements)
    raise DataError(
        f"{name} has the licence {origin.licence!r}" + (f"; {fault}" if fault else ""),
        expected=f"one of {', '.join(allowed) or '(none)'}, `own`, or a waiver",
        next_step=f"use another source, or write the reason for using it as "
        f"product.requirements.licence_waivers.{name} in the product file",
    )


def check_hash(source: Source, file: Path) -> str:
    """The file's SHA-256; `DataError` where the product file has another one."""
    found = sha256_tree(file)
    if source.sha256 not in (None, found):
        raise DataError(
            f"source {source.name}: {file.name} has sha256 {found}",
            expected=f"{source.sha256}, its `sha256` in the product file",
            next_step="restore that file or, if it changed on purpose, write its new hash there "
            "(or, for a file below data/, leave `sha256` out)",
        )
    return found


def encodable(text: str, where: str) -> str:
    """The text; `DataError` where it holds half of a character."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where}: half of a character (a lone surrogate, {text[error.start]!r})",
            expected="text that UTF-8 can hold",
            next_step="correct the row in the file",
        ) from error
    return text
