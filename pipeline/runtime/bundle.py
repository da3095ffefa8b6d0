"""The bundle: the one folder that is released, and the check that it is what was built.

A bundle is known by its hash, the SHA-256 of `manifest.json`, which names the SHA-256 of every
other file. `open_bundle` compares all of them before any file is parsed, so an altered model never
reaches a parser. The format is described in docs/guide/artifacts.md.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError, unusable
from pipeline.core.files import atomic_folder, read_json, sha256_file, write_json, write_text
from pipeline.runtime.description import DESCRIPTION, FORMAT, BundleDescription
from pipeline.runtime.task import Task

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
MODEL_CARD = "MODEL_CARD.md"
CERTIFICATE = "certificate.json"
MANIFEST = "manifest.json"
LANGUAGE_MODEL = "language_model.onnx"
LANGUAGE_TOKENIZER = "language_tokenizer.json"
_FILES = {MODEL, TOKENIZER, DESCRIPTION, MODEL_CARD}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle; `hash` is the SHA-256 of its manifest, 64 hex digits."""

    folder: Path
    hash: str
    description: BundleDescription

    @property
    def task(self) -> Task:
        return self.description.task

    @property
    def model(self) -> Path:
        return self.folder / MODEL

    @property
    def tokenizer(self) -> Path:
        return self.folder / TOKENIZER

    @property
    def threads(self) -> int | None:
        """Threads that the latency was measured with; None where that was not written down."""
        threads = self.description.latency_ms.get("threads")
        return threads if isinstance(threads, int) and threads > 0 else None

    @property
    def language_model(self) -> tuple[Path, Path] | None:
        """The language model's ONNX file and its tokenizer; None where the bundle has none."""
        found = self.folder / LANGUAGE_MODEL, self.folder / LANGUAGE_TOKENIZER
        return found if all(path.is_file() for path in found) else None


def write_bundle(
    folder: Path,
    *,
    model: Path,
    tokenizer: Path,
    description: BundleDescription,
    model_card: str,
    certificate: Mapping[str, Any] | None,
    language_model: tuple[Path, Path] | None = None,
) -> str:
    """Writes a bundle, whole or not at all, and returns its hash.

    The same content gives the same hash. A bundle that was in `folder` is replaced.

    Args:
        certificate: proofs about the model; `files` holds the SHA-256 of model and tokenizer. Only
            the older formats go without.
        language_model: the language model's ONNX file and its tokenizer, if the bundle has one.

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
        _check_certificate(temporary, files, description)
        write_json(temporary / MANIFEST, {"files": files})
    return sha256_file(folder / MANIFEST)


def open_bundle(folder: Path) -> Bundle:
    """Verifies a bundle, then reads its description.

    Raises:
        ArtifactError: a file is altered, missing or not in the manifest, the description is of
            another format, or the certificate is of another model.
    """
    files = _read_manifest(folder)
    _verify_files(folder, files)
    description = BundleDescription.from_json(read_json(folder / DESCRIPTION))
    _check_certificate(folder, files, description)
    return Bundle(folder=folder, hash=sha256_file(folder / MANIFEST), description=description)


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        files: dict[str, str] = json.loads((folder / MANIFEST).read_bytes())["files"]
        plain = {Path(name).name for name in files} - {MANIFEST}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, f"{MANIFEST} that cannot be read ({error!r})") from error
    if not isinstance(files, dict) or plain != files.keys():
        raise _damaged(folder, f"{MANIFEST} with a name that is not that of a file beside it")
    return files


def _verify_files(folder: Path, expected: Mapping[str, str]) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if missing := sorted((_FILES | expected.keys()) - present):
        raise _damaged(folder, f"a bundle without {', '.join(missing)}")
    if extra := sorted(present - expected.keys()):
        raise _damaged(folder, f"a bundle with {', '.join(extra)}, not named by its manifest")
    for name, digest in expected.items():
        path = folder / name
        # A link could be pointed elsewhere after the check.
        if path.is_symlink() or not path.is_file() or sha256_file(path) != digest:
            raise _damaged(folder, f"{name}, whose SHA-256 is not the manifest's")


def _check_certificate(
    folder: Path, files: Mapping[str, str], description: BundleDescription
) -> None:
    """Refuses a bundle whose certificate is missing, or is of other files than lie beside it."""
    if description.format < FORMAT:
        return
    if CERTIFICATE not in files:
        raise _damaged(folder, f"a bundle without {CERTIFICATE}")
    certificate = read_json(folder / CERTIFICATE)
    certified = certificate.get("files") if isinstance(certificate, dict) else None
    if certified != {name: files[name] for name in (MODEL, TOKENIZER)}:
        raise _damaged(folder, f"{CERTIFICATE} of another {MODEL} or {TOKENIZER}")


def _damaged(folder: Path, got: str) -> ArtifactError:
    expected = "every file just as the manifest recorded it when the bundle was built"
    return unusable(f"{folder}: {got}", expected=expected)
