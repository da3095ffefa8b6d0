"""A bundle's model as anyone would call it: tokenizer and ONNX Runtime, one text at a time.

Every peer serves through this file, and it alone is what the benchmark of serving calls raw. Needs numpy,
onnxruntime and tokenizers; the session has the settings of `pipeline/runtime/session.py`.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.reader import open_tokenizer
from pipeline.runtime.session import open_session


class RawModel:
    """The model of a bundle that classifies single texts, on one thread."""

    def __init__(self, folder: Path) -> None:
        bundle = open_bundle(folder)
        self.labels = bundle.task.labels
        self._segments = bundle.description.segments
        self._tokenizer = open_tokenizer(bundle.tokenizer)
        self._tokenizer.enable_truncation(bundle.task.max_length)
        self._session = open_session(bundle.model, 1)

    def outputs(self, text: str) -> NDArray[np.float32]:
        """Raw outputs of a text, `(labels,)`: nothing but the tokenizer and ONNX Runtime."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self._segments:
            feed["token_type_ids"] = np.zeros_like(ids)
        found: NDArray[np.float32] = self._session.run(["logits"], feed)[0][0]
        return found

    def answer(self, text: str) -> dict[str, str | float]:
        """The label of a text, and its probability."""
        outputs = self.outputs(text)
        shares = np.exp(outputs - outputs.max())
        best = int(shares.argmax())
        return {"label": self.labels[best], "probability": float(shares[best] / shares.sum())}


def own_folder() -> Path:
    """A new folder in the peer's environment, in place of that of its last start."""
    folder = Path(sys.prefix) / "served"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def read_place(documentation: str) -> tuple[Path, int]:
    """The bundle's folder and the port on a peer's command line."""
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("port", type=int)
    asked = parser.parse_args()
    return asked.bundle, asked.port
