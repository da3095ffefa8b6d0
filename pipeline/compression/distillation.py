"""Knowledge distillation: the student learns the teacher's softened outputs (Hinton et al. 2015)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.text.batching import Ids, epoch_batches
from pipeline.training.classification import TokenRows


class Distillation:
    """The objective of `distill`, and of the recovery training after `prune`.

    Args:
        logits: the teacher's, `(rows, labels)`.
        label_ids: gold label of each row, −1 where there is none, `(rows,)`.
        temperature: softens both distributions; the loss is scaled by its square.
        hard_label_weight: weight of the cross-entropy with the gold label.
    """

    def __init__(
        self,
        rows: TokenRows,
        logits: NDArray[np.float32],
        label_ids: NDArray[np.int64],
        *,
        temperature: float,
        hard_label_weight: float,
    ) -> None:
        self._rows = rows
        self._logits = torch.from_numpy(np.array(logits))  # a copy: logits may be mapped read-only
        self._labels = torch.from_numpy(label_ids)
        self._temperature, self._hard = temperature, hard_label_weight

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Weighted mean of soft and hard loss over the batch, nats."""
        student = model(**self._rows.batch(rows, device)).logits.float()
        teacher = self._logits[rows].to(device)
        labels = self._labels[rows].to(device)
        soft = soft_loss(student, teacher, temperature=self._temperature)
        hard = functional.cross_entropy(student, labels.clamp(min=0), reduction="none")
        weight = self._hard * (labels >= 0).float()
        return ((1 - weight) * soft + weight * hard).mean()


def soft_loss(student: torch.Tensor, teacher: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Kullback-Leibler divergence of each row, `(batch,)`, times temperature squared."""
    target = functional.log_softmax(teacher / temperature, dim=-1)
    answer = functional.log_softmax(student / temperature, dim=-1)
    divergence = functional.kl_div(answer, target, reduction="none", log_target=True)
    return divergence.sum(dim=-1) * temperature**2


def transfer_batches(
    lengths: NDArray[np.int64],
    labelled: NDArray[np.bool_],
    *,
    repeats: int,
    batch_size: int,
    seed: int,
    epoch: int,
) -> list[Ids]:
    """Batches of one epoch in which labelled rows appear `repeats` times and the others once."""
    rows = np.concatenate([np.repeat(np.flatnonzero(labelled), repeats), np.flatnonzero(~labelled)])
    batches = epoch_batches(lengths[rows], batch_size=batch_size, seed=seed, epoch=epoch)
    return [rows[batch] for batch in batches]
