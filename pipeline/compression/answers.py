"""A classifier's outputs on many texts by ONNX Runtime, which reads them twice as fast as torch.

In float32 the outputs are torch's, but for rounding. In int8 they cost a quarter of that, and differ as
an int8 model differs from its float32 one: enough for a student to learn from.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from pipeline.compression.int8 import quantize_products
from pipeline.compression.onnx_export import INPUTS, OUTPUT, SEGMENTS, exportable, plain_copy, trace
from pipeline.core.progress import Progress
from pipeline.models.features import features_read, layer_means
from pipeline.text.batching import Ids, sorted_batches
from pipeline.training.predict import Outputs
from pipeline.training.token_rows import TokenRows

_FEATURES = "features"
_OPSET = 17


class _Answering(torch.nn.Module):
    """The classifier with positional inputs; returns logits and features, see `Outputs`."""

    def __init__(self, model: PreTrainedModel, *, layers: Sequence[int], segments: bool) -> None:
        super().__init__()
        self.plain, self.numbers = plain_copy(model), layers
        self.folded = exportable(self.plain, segments=segments, max_length=None)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with (
            features_read(self.plain) as read,
            layer_means(self.plain, self.numbers, attention_mask) as means,
        ):
            logits = self.folded(input_ids, attention_mask, token_type_ids)
        return logits, torch.stack([read.pop(), *means], dim=1)


def answers(
    model: PreTrainedModel,
    rows: TokenRows,
    *,
    precision: Literal["float32", "int8"],
    threads: int,
    batch_size: int,
    task: str,
    layers: Sequence[int] = (),
) -> Outputs:
    """The model's outputs for every text, as `predict` returns them.

    Args:
        precision: of the matrix products; int8 leaves the embeddings in float32.
        task: the name under which progress is shown.
        layers: layers whose mean states are wanted too; 1 is the lowest, the last is not available.
    """
    segments = rows.segments is not None
    with TemporaryDirectory() as folder:
        path = _export(model, Path(folder), precision=precision, layers=layers, segments=segments)
        session = _open(path)
    progress, done = Progress(task, int(rows.lengths.sum())), 0
    order = sorted_batches(rows.lengths, batch_size=batch_size)

    def answer(batch: Ids) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        inputs = rows.batch(batch, torch.device("cpu"))
        feed = {name: inputs[name].numpy() for name in _inputs(segments=segments)}
        logits, features = session.run([OUTPUT, _FEATURES], feed)
        return logits, features

    found: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    # Each thread has a batch of its own: they need not wait for each other at every product.
    with ThreadPoolExecutor(threads) as pool:
        try:
            for batch, answered in zip(order, pool.map(answer, order), strict=True):
                found.append(answered)
                done += rows.tokens(batch)
                progress.update(done, unit="tokens")
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, no batch is begun any more
    places = np.argsort(np.concatenate(order))
    logits, features = (np.concatenate(parts)[places] for parts in zip(*found, strict=True))
    return Outputs(rows.of_texts(logits), rows.of_texts(features).astype(np.float16))


def _inputs(*, segments: bool) -> list[str]:
    return [*INPUTS, SEGMENTS] if segments else [*INPUTS]


def _export(
    model: PreTrainedModel, folder: Path, *, precision: str, layers: Sequence[int], segments: bool
) -> Path:
    """Writes the ONNX file that answers."""
    path = folder / "model.onnx"
    trace(
        _Answering(model.to("cpu"), layers=layers, segments=segments).eval(),
        path,
        inputs=_inputs(segments=segments),
        outputs={OUTPUT: {0: "batch"}, _FEATURES: {0: "batch"}},
        tokens=model.config.vocab_size,
        opset=_OPSET,
    )
    if precision == "float32":
        return path
    quantize_products(path, folder / "int8.onnx")
    return folder / "int8.onnx"


def _open(path: Path) -> ort.InferenceSession:
    """A session of one thread, for as many callers as there are cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
