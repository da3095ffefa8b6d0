"""The bundle: the one folder that is released, and the check that it is what was built.

A bundle is known by its hash, the SHA-256 of `manifest.json`, which names the SHA-256 of every
other file. `open_bundle` reads every file once and compares all of them before any is parsed, so an
altered model never reaches a parser; what is loaded later are the bytes that were compared. The
format is described in docs/guide/artifacts.md.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError, unusable
from pipeline.core.files import atomic_folder, sha256_file, write_json, write_text
from pipeline.runtime.description import CERTIFIED_SINCE, DESCRIPTION, BundleDescription
from pipeline.runtime.external_data import has_external_data
from pipeline.runtime.file_bytes import (
    FileBytes,
    Stored,
    bytes_of,
    hold_plain_file,
    read_plain_file,
)
from pipeline.runtime.signature import Trust
from pipeline.runtime.task import Task

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
MODEL_CARD = "MODEL_CARD.md"
CERTIFICATE = "certificate.json"
BILL_OF_MATERIALS = "bom.cdx.json"
MANIFEST = "manifest.json"
LANGUAGE_MODEL = "language_model.onnx"
LANGUAGE_TOKENIZER = "language_tokenizer.json"
_FILES = {MODEL, TOKENIZER, DESCRIPTION, MODEL_CARD}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle; `hash` is the SHA-256 of its manifest, 64 hex digits.

    Attributes:
        files: its files as they were verified. Nothing is opened in `folder` again: the bytes are in
            memory, or, of the language model, which is asked for late or never, the file is open.
    """

    folder: Path
    hash: str
    description: BundleDescription
    files: Mapping[str, Stored] = field(repr=False)

    @property
    def task(self) -> Task:
        return self.description.task

    @property
    def model(self) -> FileBytes:
        return bytes_of(self.files[MODEL])

    @property
    def tokenizer(self) -> FileBytes:
        return bytes_of(self.files[TOKENIZER])

    @property
    def model_card(self) -> str:
        return self.files[MODEL_CARD].content.decode()

    @property
    def certificate(self) -> bytes | None:
        """The certificate as JSON, byte for byte; None where an older format has none."""
        return self.files[CERTIFICATE].content if CERTIFICATE in self.files else None

    @property
    def digests(self) -> dict[str, str]:
        """File → its SHA-256, the manifest among them: what a signature has to name."""
        return {name: file.sha256 for name, file in self.files.items()}

    @property
    def threads(self) -> int | None:
        """Threads that the latency was measured with; None where that was not written down."""
        threads = self.description.latency_ms.get("threads")
        return threads if isinstance(threads, int) and threads > 0 else None

    @property
    def language_model(self) -> tuple[FileBytes, FileBytes] | None:
        """The language model's ONNX file and its tokenizer; None where the bundle has none."""
        if not {LANGUAGE_MODEL, LANGUAGE_TOKENIZER} <= self.files.keys():
            return None
        return bytes_of(self.files[LANGUAGE_MODEL]), bytes_of(self.files[LANGUAGE_TOKENIZER])

    def for_later(self) -> "Bundle":
        """The bundle without the bytes that have been loaded: those of the language model stay."""
        later = {LANGUAGE_MODEL, LANGUAGE_TOKENIZER} & self.files.keys()
        return replace(self, files={name: self.files[name] for name in later})


def write_bundle(
    folder: Path,
    *,
    model: Path,
    tokenizer: Path,
    description: BundleDescription,
    model_card: str,
    certificate: Mapping[str, Any] | None,
    language_model: tuple[Path, Path] | None = None,
    bill_of_materials: Callable[[Mapping[str, str]], Mapping[str, Any]] | None = None,
) -> str:
    """Writes a bundle, whole or not at all, and returns its hash.

    The same content gives the same hash. A bundle that was in `folder` is replaced.

    Args:
        certificate: proofs about the model; `files` holds the SHA-256 of model and tokenizer. Only
            the older formats go without.
        language_model: the language model's ONNX file and its tokenizer, if the bundle has one.
        bill_of_materials: gives, for the files and their SHA-256, what the model was made from, as
            CycloneDX; None leaves it out.

    Raises:
        ArtifactError: `description` contradicts itself, or the certificate is missing or of other
            files.
    """
    description.check()
    with atomic_folder(folder) as temporary:
        shutil.copyfile(model, temporary / MODEL)
        shutil.copyfile(tokenizer, temporary / TOKENIZER)
        if language_model is not None:
            shutil.copyfile(language_model[0], temporary / LANGUAGE_MODEL)
            shutil.copyfile(language_model[1], temporary / LANGUAGE_TOKENIZER)
        write_json(temporary / DESCRIPTION, description.as_dict())
        write_text(temporary / MODEL_CARD, model_card)
        if certificate is not None:
            write_json(temporary / CERTIFICATE, dict(certificate))
        files = {path.name: sha256_file(path) for path in sorted(temporary.iterdir())}
        if bill_of_materials is not None:
            write_json(temporary / BILL_OF_MATERIALS, dict(bill_of_materials(files)))
            files[BILL_OF_MATERIALS] = sha256_file(temporary / BILL_OF_MATERIALS)
        _check_certificate(temporary, files, description, certificate=certificate)
        write_json(temporary / MANIFEST, {"files": files})
    return sha256_file(folder / MANIFEST)


def write_copy(bundle: Bundle, folder: Path) -> None:
    """Writes the very bytes of a verified bundle to another folder, whole or not at all."""
    with atomic_folder(folder) as temporary:
        for name, file in bundle.files.items():
            (temporary / name).write_bytes(file.content)


def open_bundle(folder: Path, *, trust: Trust | None = None) -> Bundle:
    """Reads and verifies a bundle: its files, then its signature, then what they say.

    Args:
        trust: whose signature it needs; None looks at none. A server always gives it.

    Raises:
        ArtifactError: a file is altered, missing, a link or not in the manifest; the signature is not
            as `trust` asks; the description is of another format; the certificate is of another
            model; or a model has weights outside its file.
    """
    manifest = bytes_of(_read(folder, MANIFEST))
    expected = _named_by(manifest, folder)
    files: dict[str, Stored] = {MANIFEST: manifest, **_read_files(folder, expected)}
    if trust is not None:
        trust.check(folder, {name: file.sha256 for name, file in files.items()})
    description = BundleDescription.from_json(_parsed(folder, files[DESCRIPTION]))
    certificate = _parsed(folder, files[CERTIFICATE]) if CERTIFICATE in files else None
    _check_certificate(folder, expected, description, certificate=certificate)
    for name in (MODEL, LANGUAGE_MODEL):
        if name in files:
            _require_self_contained(folder, files[name])
    return Bundle(folder=folder, hash=manifest.sha256, description=description, files=files)


def _read(folder: Path, name: str) -> Stored:
    later = name in (LANGUAGE_MODEL, LANGUAGE_TOKENIZER)
    try:
        return hold_plain_file(folder / name) if later else read_plain_file(folder / name)
    except OSError as error:
        # A link could be pointed elsewhere after the check, a device gives other bytes each time.
        raise _damaged(folder, f"{name} that cannot be read as a plain file ({error})") from error


def _named_by(manifest: FileBytes, folder: Path) -> dict[str, str]:
    """File → its SHA-256, as the manifest says."""
    try:
        files: dict[str, str] = json.loads(manifest.content)["files"]
        plain = {Path(name).name for name in files} - {MANIFEST}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, f"{MANIFEST} that cannot be read ({error!r})") from error
    if not isinstance(files, dict) or plain != files.keys():
        raise _damaged(folder, f"{MANIFEST} with a name that is not that of a file beside it")
    return files


def _read_files(folder: Path, expected: Mapping[str, str]) -> dict[str, Stored]:
    """Every file that the manifest names, if it is as the manifest says, and no other is there."""
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if missing := sorted((_FILES | expected.keys()) - present):
        raise _damaged(folder, f"a bundle without {', '.join(missing)}")
    if extra := sorted(present - expected.keys()):
        raise _damaged(folder, f"a bundle with {', '.join(extra)}, not named by its manifest")
    files = {name: _read(folder, name) for name in expected}
    for name, file in files.items():
        if file.sha256 != expected[name]:
            raise _damaged(folder, f"{name}, whose SHA-256 is not the manifest's")
    return files


def _parsed(folder: Path, file: Stored) -> Any:
    try:
        return json.loads(file.content)
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, f"{file.name} that is not JSON ({error})") from error


def _require_self_contained(folder: Path, model: Stored) -> None:
    """Refuses a model with weights in other files, which neither manifest nor signature cover."""
    try:
        outside = has_external_data(model.content)
    except ValueError as error:
        raise _damaged(folder, f"{model.name} that is no ONNX model ({error})") from error
    if outside:
        raise _damaged(folder, f"{model.name} with weights in another file")


def _check_certificate(
    folder: Path, files: Mapping[str, str], description: BundleDescription, *, certificate: object
) -> None:
    """Refuses a bundle whose certificate is missing, or is of other files than lie beside it."""
    if description.format < CERTIFIED_SINCE:
        return
    if CERTIFICATE not in files:
        raise _damaged(folder, f"a bundle without {CERTIFICATE}")
    certified = certificate.get("files") if isinstance(certificate, dict) else None
    if certified != {name: files[name] for name in (MODEL, TOKENIZER)}:
        raise _damaged(folder, f"{CERTIFICATE} of another {MODEL} or {TOKENIZER}")


def _damaged(folder: Path, got: str) -> ArtifactError:
    expected = "every file just as the manifest recorded it when the bundle was built"
    return unusable(f"{folder}: {got}", expected=expected)
