"""The student's objective is the published one, and rows without a label learn from the teacher alone."""

import numpy as np
import torch

from pipeline.compression.distillation import Distillation, soft_loss, transfer_batches
from pipeline.text.batching import Ids
from pipeline.training.classification import TokenRows


class Answers(torch.nn.Module):
    """A model whose logits are its only parameters."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, **_batch: torch.Tensor) -> "Answers":
        return self


def the_loss(student: torch.Tensor, *, labels: list[int], hard: float) -> float:
    rows = TokenRows([[2, 3]] * len(labels), np.full(len(labels), 2), pad_token_id=0)
    teacher = np.array([[2.0, -1.0]] * len(labels), dtype=np.float32)
    objective = Distillation(
        rows, teacher, np.array(labels), temperature=2.0, hard_label_weight=hard
    )
    numbers: Ids = np.arange(len(labels))
    return objective.loss(Answers(student), numbers, torch.device("cpu")).item()


def test_the_soft_loss_is_zero_where_student_and_teacher_agree() -> None:
    logits = torch.tensor([[0.3, -2.0, 1.0]])
    assert soft_loss(logits, logits + 5.0, temperature=3.0).abs().max() < 1e-6


def test_the_soft_loss_equals_the_formula() -> None:
    student, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[2.0, -1.0]])
    p, q = torch.softmax(teacher / 2, -1), torch.softmax(student / 2, -1)
    expected = 4 * (p * (p.log() - q.log())).sum()
    assert torch.allclose(soft_loss(student, teacher, temperature=2.0), expected)


def test_rows_without_a_label_ignore_the_hard_loss() -> None:
    student = torch.tensor([[0.5, 0.0]])
    assert the_loss(student, labels=[-1], hard=0.9) == the_loss(student, labels=[-1], hard=0.0)


def test_the_hard_loss_alone_is_cross_entropy() -> None:
    student = torch.tensor([[0.5, 0.0]])
    expected = torch.nn.functional.cross_entropy(student, torch.tensor([1]))
    assert abs(the_loss(student, labels=[1], hard=1.0) - float(expected)) < 1e-6


def test_labelled_rows_repeat_and_corpus_rows_come_once() -> None:
    labelled = np.array([True, False, False, True, False])
    batches = transfer_batches(
        np.array([3, 4, 5, 6, 7]), labelled, repeats=3, batch_size=2, seed=0, epoch=0
    )
    counts = np.bincount(np.concatenate(batches), minlength=5)
    assert counts.tolist() == [3, 1, 1, 3, 1]
