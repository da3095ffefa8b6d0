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

from pipeline.core.decision import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_folder, read_json, sha256_file, write_json, write_text
from pipeline.runtime.task import Task

FORMAT = 3
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
DESCRIPTION = "bundle.json"
MODEL_CARD = "MODEL_CARD.md"
CERTIFICATE = "certificate.json"
MANIFEST = "manifest.json"
LANGUAGE_MODEL = "language_model.onnx"
LANGUAGE_TOKENIZER = "language_tokenizer.json"
_FILES = {MODEL, TOKENIZER, DESCRIPTION, MODEL_CARD}
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "format": int,
    "product": str,
    "variant": str,
    "labels": list,
    "max_length": int,
    "pad_token_id": int,
    "examples": list,
    "golden": list,
    "golden_tolerance": (int, float),
}
_FIELDS_SINCE_2: Mapping[str, type | tuple[type, ...]] = {
    "problem": str,
    "pairs": bool,
    "window_stride": (int, type(None)),
    "segments": bool,
    "decision": dict,
}
"""A bundle of format 1 classifies single texts and cuts long ones; one of format 2 has no certificate.
Both are served as before."""
_NEXT_STEP = "build it again with `make pipeline`; do not edit a bundle by hand"


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        folder: where it lies.
        hash: SHA-256 of its manifest, 64 hex digits.
        description: all of `bundle.json`.
        task: what the model is asked and how it reads.
        pad_token_id: id of the padding token.
        golden: requests (`text`, and `second` of a pair) with the answers expected: `label` or `labels`
            with `probabilities`, or `value`.
        golden_tolerance: largest absolute difference of a probability, or of the number.
    """

    folder: Path
    hash: str
    description: Mapping[str, Any]
    task: Task
    pad_token_id: int
    golden: tuple[Mapping[str, Any], ...]
    golden_tolerance: float

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    @property
    def tokenizer(self) -> Path:
        """The tokenizer file."""
        return self.folder / TOKENIZER

    @property
    def threads(self) -> int | None:
        """Threads of one answer: those it was measured with; None where that was not written down."""
        threads = (self.description.get("latency_ms") or {}).get("threads")
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
    description: Mapping[str, Any],
    model_card: str,
    certificate: Mapping[str, Any] | None,
    language_model: tuple[Path, Path] | None = None,
) -> str:
    """Write a bundle, whole or not at all, and return its hash.

    The same content gives the same hash. A folder that stood there is replaced.

    Args:
        certificate: what was proved of the model; `files` holds the SHA-256 of model and tokenizer. None
            for the older formats alone.
        language_model: the language model's ONNX file and its tokenizer, where the bundle has one.

    Raises:
        ArtifactError: `description` lacks a field or has one of another type, or the certificate is
            missing or of other files.
    """
    _check_description(description)
    with atomic_folder(folder) as temporary:
        shutil.copyfile(model, temporary / MODEL)
        shutil.copyfile(tokenizer, temporary / TOKENIZER)
        if language_model is not None:
            shutil.copyfile(language_model[0], temporary / LANGUAGE_MODEL)
            shutil.copyfile(language_model[1], temporary / LANGUAGE_TOKENIZER)
        write_json(temporary / DESCRIPTION, dict(description))
        write_text(temporary / MODEL_CARD, model_card)
        if certificate is not None:
            write_json(temporary / CERTIFICATE, dict(certificate))
        files = {path.name: sha256_file(path) for path in sorted(temporary.iterdir())}
        _check_certificate(temporary, files, description)
        write_json(temporary / MANIFEST, {"files": files})
    return sha256_file(folder / MANIFEST)


def open_bundle(folder: Path) -> Bundle:
    """Verify a bundle, then read its description.

    Raises:
        ArtifactError: a file is altered, missing or not in the manifest, the description is of another
            format, or the certificate is of another model.
    """
    files = _verify_files(folder)
    description = read_json(folder / DESCRIPTION)
    _check_description(description)
    _check_certificate(folder, files, description)
    return Bundle(
        folder=folder,
        hash=sha256_file(folder / MANIFEST),
        description=description,
        task=Task.of(description),
        pad_token_id=description["pad_token_id"],
        golden=tuple(description["golden"]),
        golden_tolerance=float(description["golden_tolerance"]),
    )


def _verify_files(folder: Path) -> dict[str, str]:
    """The manifest's files, each found as it says."""
    expected = _read_manifest(folder)
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if missing := sorted((_FILES | expected.keys()) - present):
        raise _damaged(folder, f"a bundle without {', '.join(missing)}")
    if extra := sorted(present - expected.keys()):
        raise _damaged(
            folder, f"a bundle with {', '.join(extra)}, which its manifest does not name"
        )
    for name, digest in expected.items():
        path = folder / name
        # A link could be pointed elsewhere after the check.
        if path.is_symlink() or not path.is_file() or sha256_file(path) != digest:
            raise _damaged(folder, f"{name}, whose SHA-256 is not the manifest's")
    return expected


def _check_certificate(
    folder: Path, files: Mapping[str, str], description: Mapping[str, Any]
) -> None:
    """It must be there, and be of the very files that lie beside it."""
    if description["format"] < FORMAT:
        return
    if CERTIFICATE not in files:
        raise _damaged(folder, f"a bundle without {CERTIFICATE}")
    certificate = read_json(folder / CERTIFICATE)
    certified = certificate.get("files") if isinstance(certificate, Mapping) else None
    if certified != {name: files[name] for name in (MODEL, TOKENIZER)}:
        raise _damaged(folder, f"{CERTIFICATE} of another {MODEL} or {TOKENIZER}")


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        files: dict[str, str] = manifest["files"]
        plain = isinstance(files, dict) and all(map(_is_plain_name, files))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, f"{MANIFEST} that cannot be read ({error!r})") from error
    if not plain:
        raise _damaged(folder, f"{MANIFEST} with a name that is not that of a file beside it")
    return files


def _is_plain_name(name: str) -> bool:
    return Path(name).name == name and name != MANIFEST


def _check_description(description: Any) -> None:
    if not isinstance(description, Mapping):
        raise _malformed(f"{DESCRIPTION} that is no object")
    _check_kinds(description, _FIELDS)
    if description["format"] not in (1, 2, FORMAT):
        raise _malformed(f"{DESCRIPTION} of format {description['format']}")
    if description["format"] != 1:
        _check_kinds(description, _FIELDS_SINCE_2)
        _check_problem(description)
    _check_labels(description["labels"], least=1 if _is_number(description) else 2)
    if description["max_length"] < 1:
        raise _malformed(f"{DESCRIPTION} with max_length {description['max_length']}")
    if not all(_is_golden(golden, description) for golden in description["golden"]):
        raise _malformed(f"{DESCRIPTION} with a golden request that lacks text or answer")


def _check_kinds(
    description: Mapping[str, Any], expected: Mapping[str, type | tuple[type, ...]]
) -> None:
    for key, kind in expected.items():
        if key not in description or not isinstance(description[key], kind):
            raise _malformed(f"{DESCRIPTION} without a good {key!r}")


def _check_problem(description: Mapping[str, Any]) -> None:
    if description["problem"] not in (CLASSIFICATION, MULTI_LABEL, REGRESSION):
        raise _malformed(f"{DESCRIPTION} with the problem {description['problem']!r}")
    if (stride := description["window_stride"]) is not None and stride < 1:
        raise _malformed(f"{DESCRIPTION} with window_stride {stride}")
    decision = description["decision"]
    thresholds = decision.get("thresholds")
    if not decision.keys() >= {"thresholds", "abstain_below"}:
        raise _malformed(f"{DESCRIPTION} with the decision {decision}")
    if thresholds is not None and len(thresholds) != len(description["labels"]):
        raise _malformed(f"{DESCRIPTION} with {len(thresholds)} thresholds")


def _is_number(description: Mapping[str, Any]) -> bool:
    return description.get("problem") == REGRESSION


def _check_labels(labels: list[Any], *, least: int) -> None:
    if len(labels) < least or not all(isinstance(label, str) and label for label in labels):
        raise _malformed(f"{DESCRIPTION} with labels {labels!r}")


def _is_golden(golden: Any, description: Mapping[str, Any]) -> bool:
    if not isinstance(golden, Mapping) or not isinstance(golden.get("text"), str):
        return False
    if description.get("pairs", False) != isinstance(golden.get("second"), str):
        return False
    if _is_number(description):
        return isinstance(golden.get("value"), float)
    several = description.get("problem") == MULTI_LABEL
    answer = golden.get("labels" if several else "label")
    named = isinstance(answer, list if several else str)
    return named and isinstance(golden.get("probabilities"), Mapping)


def _malformed(got: str) -> ArtifactError:
    return ArtifactError(
        got,
        expected=f"the bundle format {FORMAT} of docs/guide/artifacts.md",
        next_step=_NEXT_STEP,
    )


def _damaged(folder: Path, got: str) -> ArtifactError:
    return ArtifactError(
        f"{folder}: {got}",
        expected="every file just as the manifest recorded it when the bundle was built",
        next_step=_NEXT_STEP,
    )
