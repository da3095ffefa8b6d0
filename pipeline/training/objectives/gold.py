"""The objective of training on gold targets, and the loss for each kind of target."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.text.batching import Ids
from pipeline.training.token_rows import TokenRows

GoldLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Logits, float32 `(batch, outputs)`, and the batch's targets to the mean loss, a scalar."""


class GoldObjective:
    """The loss of a model's logits against gold targets.

    Args:
        targets: one entry a row, `(rows, …)`, in the type and shape that `loss` compares with.
    """

    def __init__(self, rows: TokenRows, targets: NDArray[np.generic], loss: GoldLoss) -> None:
        self._rows, self._targets, self._loss = rows, torch.from_numpy(targets), loss

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch."""
        logits = model(**self._rows.batch(rows, device)).logits
        return self._loss(logits.float(), self._targets[rows].to(device))


def label_objective(
    rows: TokenRows, label_ids: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> GoldObjective:
    """Cross-entropy with the gold label, nats.

    Args:
        label_ids: the number of each row's label, `(rows,)`.
        weights: of each label, `(labels,)`; None where all weigh the same.
    """
    weight = _float_tensor(weights)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, targets, weight=_beside(weight, logits))

    return GoldObjective(rows, label_ids, loss)


def multi_label_objective(
    rows: TokenRows, targets: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> GoldObjective:
    """Binary cross-entropy, the mean over the labels, nats.

    Args:
        targets: 1 where the row has the label, else 0, `(rows, labels)`.
        weights: of a row that has the label, where one that lacks it weighs 1, `(labels,)`.
    """
    weight = _float_tensor(weights)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=_beside(weight, logits)
        )

    return GoldObjective(rows, targets.astype(np.float32), loss)


def number_objective(rows: TokenRows, targets: NDArray[np.float64]) -> GoldObjective:
    """Squared error of the model's only output; targets `(rows,)`."""
    return GoldObjective(
        rows,
        targets.astype(np.float32),
        lambda logits, gold: functional.mse_loss(logits[:, 0], gold),
    )


def _float_tensor(values: NDArray[np.float64] | None) -> torch.Tensor | None:
    return None if values is None else torch.from_numpy(values.astype(np.float32))


def _beside(weight: torch.Tensor | None, logits: torch.Tensor) -> torch.Tensor | None:
    return None if weight is None else weight.to(logits.device)
