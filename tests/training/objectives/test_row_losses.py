"""The loss against the teacher is Hinton's, and nothing where both agree."""

import torch

from pipeline.training.objectives.row_losses import soft_loss


def test_the_soft_loss_is_zero_where_student_and_teacher_agree() -> None:
    logits = torch.tensor([[0.3, -2.0, 1.0]])
    assert soft_loss(logits, logits + 5.0, 3.0).abs().max() < 1e-6


def test_the_soft_loss_equals_the_formula() -> None:
    student, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[2.0, -1.0]])
    p, q = torch.softmax(teacher / 2, -1), torch.softmax(student / 2, -1)
    expected = 4 * (p * (p.log() - q.log())).sum()
    assert torch.allclose(soft_loss(student, teacher, 2.0), expected)
