"""The outputs of a trained model on tokenized texts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.product import Compute
from pipeline.core.progress import Progress
from pipeline.models.features import features_read, layer_means
from pipeline.problem.problems import REGRESSION
from pipeline.text.batching import sorted_batches
from pipeline.training.device import autocast, prepare_device
from pipeline.training.token_rows import TokenRows


@dataclass(frozen=True)
class Outputs:
    """A model's outputs for each text, in order; for a long text the mean over its windows.

    Attributes:
        logits: `(texts, outputs)`.
        features: the inputs of the last linear layer, then the mean states after each requested
            layer, `(texts, 1 + layers, width)`.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float16]


def predict(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
    layers: Sequence[int] = (),
) -> Outputs:
    """The model's outputs for every text.

    A regression model runs in float32 whatever `compute.precision` says: bfloat16 cannot tell 2,001
    from 2,005.

    Args:
        task: the name under which progress is shown; None shows none.
        layers: layers whose mean states are wanted too; 1 is the lowest, the last is not available.
    """
    order = sorted_batches(rows.lengths, batch_size=batch_size)
    logits: list[NDArray[np.float32]] = []
    features: list[NDArray[np.float16]] = []
    with _evaluating(model, compute) as device, features_read(model) as read:
        for inputs in _batches(rows, order, device=device, task=task):
            with layer_means(model, layers, inputs["attention_mask"]) as means:
                logits.append(model(**inputs).logits.float().cpu().numpy())
            found = torch.stack([read.pop().float(), *means], dim=1)
            features.append(found.cpu().to(torch.float16).numpy())
    places = np.argsort(np.concatenate(order))
    return Outputs(
        rows.of_texts(np.concatenate(logits)[places]),
        rows.of_texts(np.concatenate(features)[places].astype(np.float32)).astype(np.float16),
    )


def predict_logits(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
) -> NDArray[np.float32]:
    """The model's logits for every text, `(texts, outputs)`; no layer is looked at, so any model will do."""
    order = sorted_batches(rows.lengths, batch_size=batch_size)
    with _evaluating(model, compute) as device:
        logits = [
            model(**inputs).logits.float().cpu().numpy()
            for inputs in _batches(rows, order, device=device, task=task)
        ]
    return rows.of_texts(np.concatenate(logits)[np.argsort(np.concatenate(order))])


@contextmanager
def _evaluating(model: torch.nn.Module, compute: Compute) -> Iterator[torch.device]:
    """Puts a model on its device, without dropout and gradients, in the precision of its problem."""
    device = prepare_device(compute)
    model.to(device).eval()
    is_regression = getattr(getattr(model, "config", None), "problem_type", None) == REGRESSION
    with torch.inference_mode(), nullcontext() if is_regression else autocast(compute, device):
        yield device


def _batches(
    rows: TokenRows, order: Sequence[NDArray[np.int64]], *, device: torch.device, task: str | None
) -> Iterator[dict[str, torch.Tensor]]:
    """The inputs of each batch; shows progress under the name `task`."""
    progress, done = Progress(task, int(rows.lengths.sum())) if task else None, 0
    for batch in order:
        yield rows.batch(batch, device)
        done += rows.tokens(batch)
        if progress:
            progress.update(done, unit="tokens")
