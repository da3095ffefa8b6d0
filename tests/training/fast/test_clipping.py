"""Clipping inside the optimizer's step moves the weights as clipping before it does."""

import math

import pytest
import torch

from pipeline.core.training_sections import OptimisationParams
from pipeline.training.fast.clipping import clip_in_step
from pipeline.training.optimizer import build_optimizer

OPTIMISATION = OptimisationParams(
    epochs=1, batch_size=4, accumulation=1, learning_rate=0.1, warmup_share=0.0, weight_decay=0.1
)


def a_model(gradient: float) -> torch.nn.Sequential:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(40, 50), torch.nn.Linear(50, 3))
    for parameter in model.parameters():
        parameter.grad = gradient * torch.randn_like(parameter)
    model[1].bias.requires_grad = False
    model[1].bias.grad = None
    return model


@pytest.mark.parametrize("gradient", [1e-4, 0.02, 30.0])
def test_a_step_is_that_of_gradients_clipped_before_it(gradient: float) -> None:
    expected, found = a_model(gradient), a_model(gradient)
    before, inside = (build_optimizer(model, OPTIMISATION) for model in (expected, found))
    for _ in range(3):
        theirs = torch.nn.utils.clip_grad_norm_(expected.parameters(), 1.0)
        before.step()
        ours = clip_in_step(inside, 1.0)
        inside.step()
        assert ours == pytest.approx(float(theirs), rel=1e-5)
    for one, other in zip(expected.parameters(), found.parameters(), strict=True):
        torch.testing.assert_close(other, one)
        # AdamW's steps hardly depend on how large gradients are; its first moments do.
        torch.testing.assert_close(inside.state[other], before.state[one])


def test_one_step_s_clipping_is_not_left_to_the_next() -> None:
    model = a_model(30.0)
    optimizer = build_optimizer(model, OPTIMISATION)
    assert clip_in_step(optimizer, 1.0) > 1.0
    optimizer.step()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad = 1e-5 * torch.ones_like(parameter)
    norm = clip_in_step(optimizer, 1.0)
    optimizer.step()
    assert norm < 1.0
    found = [p.grad.min().item() for p in model.parameters() if p.grad is not None]
    assert found == pytest.approx([1e-5] * 3)


def test_a_norm_that_is_not_finite_is_told() -> None:
    model = a_model(1.0)
    model[0].bias.grad = torch.full_like(model[0].bias, math.nan)
    assert math.isnan(clip_in_step(build_optimizer(model, OPTIMISATION), 1.0))
