"""The student's objective is the published one; unlabelled rows use the teacher only."""

import numpy as np
import torch

from pipeline.compression.distillation import Distillation, transfer_batches
from pipeline.text.batching import Ids
from pipeline.training.token_rows import TokenRows


class Answers(torch.nn.Module):
    """A model whose logits are its only parameters."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, **_batch: torch.Tensor) -> "Answers":
        return self


def the_loss(
    student: torch.Tensor,
    *,
    gold: list[float] | None,
    hard: float,
    problem: str = "classification",
    teacher: tuple[float, ...] = (2.0, -1.0),
) -> float:
    """The loss of one row; `gold` is its target, None if it has none."""
    objective = Distillation(
        TokenRows([[2, 3]], np.array([2]), pad_token_id=0),
        np.array([teacher], dtype=np.float32),
        targets=np.array([gold or [0.0] * len(teacher)]),
        labelled=np.array([gold is not None]),
        problem=problem,
        temperature=2.0,
        hard_label_weight=hard,
    )
    numbers: Ids = np.arange(1)
    return objective.loss(Answers(student), numbers, torch.device("cpu")).item()


def test_rows_without_a_label_ignore_the_hard_loss() -> None:
    student = torch.tensor([[0.5, 0.0]])
    assert the_loss(student, gold=None, hard=0.9) == the_loss(student, gold=None, hard=0.0)


def test_the_hard_loss_alone_is_cross_entropy() -> None:
    student = torch.tensor([[0.5, 0.0]])
    expected = torch.nn.functional.cross_entropy(student, torch.tensor([1]))
    assert abs(the_loss(student, gold=[1.0], hard=1.0) - float(expected)) < 1e-6


def test_each_of_several_labels_is_softened_by_itself() -> None:
    student, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[2.0, -1.0]])
    p, q = torch.sigmoid(teacher / 2), torch.sigmoid(student / 2)
    expected = float(-4 * (p * q.log() + (1 - p) * (1 - q).log()).mean())
    found = the_loss(student, gold=None, hard=0.5, problem="multi_label")
    assert abs(found - expected) < 1e-6
    gold = float(-(torch.sigmoid(student).log() * torch.tensor([[0.0, 1.0]])).sum())
    gold -= float(torch.sigmoid(-student)[0, 0].log())
    told = the_loss(student, gold=[0.0, 1.0], hard=1.0, problem="multi_label")
    assert abs(told - gold / 2) < 1e-6


def test_a_number_is_learned_from_the_teachers_number_and_from_gold() -> None:
    student = torch.tensor([[0.5]])
    found = the_loss(student, gold=[1.0], hard=0.25, problem="regression", teacher=(2.0,))
    assert abs(found - (0.75 * 1.5**2 + 0.25 * 0.5**2)) < 1e-6


def test_labelled_rows_repeat_and_corpus_rows_come_once() -> None:
    labelled = np.array([True, False, False, True, False])
    batches = transfer_batches(
        np.array([3, 4, 5, 6, 7]), labelled, repeats=3, batch_size=2, seed=0, epoch=0
    )
    counts = np.bincount(np.concatenate(batches), minlength=5)
    assert counts.tolist() == [3, 1, 1, 3, 1]
