"""The objective of training on gold targets, and the loss for each kind of target."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.text.batching import Ids
from pipeline.training.token_rows import TokenRows


class GoldObjective:
    """The loss of a model's logits against gold targets.

    Args:
        targets: one entry a row, `(rows, …)`, in the type and shape that `loss` compares with.
        loss: from logits, float32 `(batch, outputs)`, and the batch's targets to the mean loss.
        weights: of the labels, `(labels,)`, by the name that `loss` has for them, or None.
    """

    def __init__(
        self,
        rows: TokenRows,
        targets: NDArray[np.generic],
        loss: Callable[..., torch.Tensor],
        **weights: NDArray[np.float64] | None,
    ) -> None:
        self._rows, self._targets, self._loss = rows, torch.from_numpy(targets), loss
        self._weights = {
            name: torch.from_numpy(values.astype(np.float32))
            for name, values in weights.items()
            if values is not None
        }

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch."""
        logits = model(**self._rows.batch(rows, device)).logits
        weights = {name: values.to(device) for name, values in self._weights.items()}
        return self._loss(logits.float(), self._targets[rows].to(device), **weights)


def label_objective(
    rows: TokenRows, label_ids: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> GoldObjective:
    """Cross-entropy with the gold label, nats.

    Args:
        label_ids: the number of each row's label, `(rows,)`.
        weights: of each label, `(labels,)`; None where all weigh the same.
    """
    return GoldObjective(rows, label_ids, functional.cross_entropy, weight=weights)


def soft_label_objective(
    rows: TokenRows, shares: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> GoldObjective:
    """Cross-entropy with the share of each label, nats.

    Of a batch whose rows have one label alone it is that of `label_objective`, bit for bit.

    With weights, a row weighs as its labels do by their shares, and the mean is the weighted one.

    Args:
        shares: `(rows, labels)`, each row adding up to 1; 1 for the gold label of a row that has one alone.
        weights: of each label, `(labels,)`; None where all weigh the same.
    """

    def loss(
        logits: torch.Tensor, gold: torch.Tensor, weight: torch.Tensor | None = None
    ) -> torch.Tensor:
        if (gold.amax(dim=1) == 1).all():
            return functional.cross_entropy(logits, gold.argmax(dim=1), weight=weight)
        weighed = gold if weight is None else gold * weight
        return -(weighed * functional.log_softmax(logits, dim=1)).sum() / weighed.sum()

    return GoldObjective(rows, shares.astype(np.float32), loss, weight=weights)


def multi_label_objective(
    rows: TokenRows, targets: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> GoldObjective:
    """Binary cross-entropy, the mean over the labels, nats.

    Args:
        targets: 1 where the row has the label, else 0, `(rows, labels)`.
        weights: of a row that has the label, where one that lacks it weighs 1, `(labels,)`.
    """
    loss = functional.binary_cross_entropy_with_logits
    return GoldObjective(rows, targets.astype(np.float32), loss, pos_weight=weights)


def number_objective(rows: TokenRows, targets: NDArray[np.float64]) -> GoldObjective:
    """Squared error of the model's only output; targets `(rows,)`."""

    def loss(logits: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(logits[:, 0], gold)

    return GoldObjective(rows, targets.astype(np.float32), loss)
