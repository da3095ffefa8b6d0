"""Losses of each row, `(batch,)`, against the teacher's outputs or gold, for distillation.

A label's distribution is softened by the temperature; of several labels each is softened by itself.
A number has nothing to soften: the student learns the teacher's number.
"""

import torch
from torch.nn import functional


def soft_loss(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Kullback-Leibler divergence of each row, `(batch,)`, times temperature squared."""
    target = functional.log_softmax(teacher / temperature, dim=-1)
    answer = functional.log_softmax(student / temperature, dim=-1)
    divergence = functional.kl_div(answer, target, reduction="none", log_target=True)
    return divergence.sum(dim=-1) * temperature**2


def soft_label_loss(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Binary cross-entropy with the teacher's softened labels, the mean, `(batch,)`."""
    target = torch.sigmoid(teacher / temperature)
    return multi_label_loss(student / temperature, target) * temperature**2


def label_loss(student: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the gold label."""
    return functional.cross_entropy(student, targets[:, 0].long(), reduction="none")


def multi_label_loss(student: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of each label, its mean."""
    losses = functional.binary_cross_entropy_with_logits(student, targets, reduction="none")
    return losses.mean(dim=-1)


def squared_error(student: torch.Tensor, targets: torch.Tensor, *_: float) -> torch.Tensor:
    """Squared error of the number, against gold or the teacher."""
    return (student - targets).square().mean(dim=-1)
