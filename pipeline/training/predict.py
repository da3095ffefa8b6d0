"""The outputs of a trained model on tokenized texts."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.params import Compute
from pipeline.core.progress import Progress
from pipeline.models.features import features_read, layer_means
from pipeline.problem.problems import REGRESSION
from pipeline.text.batching import Ids, sorted_batches
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


def predict_logits(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
) -> NDArray[np.float32]:
    """The logits of `predict`, `(texts, outputs)`."""
    return predict(model, rows, compute=compute, batch_size=batch_size, task=task).logits


def predict(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
    layers: Sequence[int] = (),
) -> Outputs:
    """The model's outputs on every text.

    Numbers come in float32 whatever `compute.precision` says: bfloat16 tells 2,001 from 2,005 no more.

    Args:
        task: name under which progress is shown; None works silently.
        layers: after which the mean state is wanted too, 1 the lowest, the last one not among them.
    """
    device = prepare_device(compute)
    model.to(device).eval()
    total = int(rows.lengths.sum())
    progress = Progress(task, total) if task else None
    order: list[Ids] = []
    parts: list[NDArray[np.float32]] = []
    features: list[NDArray[np.float16]] = []
    done = 0
    with (
        torch.inference_mode(),
        _arithmetic(model, compute, device),
        features_read(model) as read,
    ):
        for batch in sorted_batches(rows.lengths, batch_size=batch_size):
            given = rows.batch(batch, device)
            with layer_means(model, layers, given["attention_mask"]) as means:
                parts.append(model(**given).logits.float().cpu().numpy())
            found = torch.stack([read.pop().float(), *means], dim=1)
            features.append(found.cpu().to(torch.float16).numpy())
            order.append(batch)
            done += rows.tokens(batch)
            if progress:
                progress.update(done, unit="tokens")
    places = np.argsort(np.concatenate(order))
    return Outputs(
        rows.of_texts(np.concatenate(parts)[places]),
        rows.of_texts(np.concatenate(features)[places].astype(np.float32)).astype(np.float16),
    )


def _arithmetic(
    model: torch.nn.Module, compute: Compute, device: torch.device
) -> AbstractContextManager[None]:
    gives_numbers = getattr(getattr(model, "config", None), "problem_type", None) == REGRESSION
    return nullcontext() if gives_numbers else autocast(compute, device)
