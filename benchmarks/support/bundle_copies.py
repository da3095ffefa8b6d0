"""Copies of a bundle that are bundles of their own: with another card, or with the labels the other way round."""

import shutil
from pathlib import Path
from typing import Any

from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.runtime.bundle import MANIFEST, MODEL_CARD
from tests.support.tiny_bundle import rewrite_description


def copy_with_note(bundle: Path, folder: Path, note: str) -> str:
    """Copies a bundle to `folder` with a line more in its card; returns its hash."""
    shutil.copytree(bundle, folder)
    card, manifest = folder / MODEL_CARD, folder / MANIFEST
    card.write_text(f"{card.read_text(encoding='utf-8')}{note}\n", encoding="utf-8")
    files = read_json(manifest)["files"] | {card.name: sha256_file(card)}
    write_json(manifest, {"files": files})
    return sha256_file(manifest)


def copy_with_labels_turned(bundle: Path, folder: Path) -> str:
    """Copies a bundle to `folder` with its labels in reverse order, so that it answers otherwise; returns its hash."""
    shutil.copytree(bundle, folder)
    rewrite_description(folder, labels_turned)
    return sha256_file(folder / MANIFEST)


def labels_turned(description: dict[str, Any]) -> dict[str, Any]:
    """The content of a `bundle.json` with the labels in reverse order, and the golden answers that follow."""
    labels = description["labels"]
    other = dict(zip(labels, reversed(labels), strict=True))

    def turned(golden: dict[str, Any]) -> dict[str, Any]:
        shares = {other[label]: share for label, share in golden["probabilities"].items()}
        return {**golden, "label": other[golden["label"]], "probabilities": shares}

    return {
        **description,
        "labels": labels[::-1],
        "golden": [turned(golden) for golden in description["golden"]],
    }
