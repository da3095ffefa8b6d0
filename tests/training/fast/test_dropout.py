"""Fast dropout drops the right share of elements and changes nothing else."""

import math

import pytest
import torch

from pipeline.training.fast.dropout import drop
from pipeline.training.fast.functions import quick_functions


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_the_share_that_is_dropped_is_the_one_asked_for(share: float) -> None:
    torch.manual_seed(0)
    values = torch.ones(400, 1001)
    dropped = (drop(values, share) == 0).double().mean().item()
    spread = math.sqrt(share * (1 - share) / values.numel())
    assert abs(dropped - share) < 5 * spread


def test_what_is_kept_is_scaled_so_that_the_mean_stays() -> None:
    torch.manual_seed(0)
    kept = drop(torch.full((300, 301), 2.0), 0.25)
    none, other = kept.unique().tolist()
    assert (none, other) == (0.0, pytest.approx(2.0 / 0.75))


def test_each_place_is_dropped_as_often_as_any_other() -> None:
    torch.manual_seed(0)
    counts = torch.stack([drop(torch.ones(7, 9), 0.3) == 0 for _ in range(4000)]).sum(dim=0)
    spread = math.sqrt(4000 * 0.3 * 0.7)
    assert (counts - 1200).abs().max() < 5 * spread


def test_gradients_pass_where_values_did() -> None:
    torch.manual_seed(0)
    values = torch.randn(50, 50, requires_grad=True)
    result = drop(values, 0.4)
    result.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, result == 0)


def test_a_model_in_evaluation_is_not_touched() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Dropout(0.5)).eval()
    inputs = torch.randn(4, 8)
    with quick_functions():
        assert torch.equal(model(inputs), model[0](inputs))


def test_modules_draw_from_torch_s_generator_inside_the_context() -> None:
    model = torch.nn.Dropout(0.5).train()
    torch.manual_seed(1)
    with quick_functions():
        inside = model(torch.ones(1000))
    torch.manual_seed(1)
    assert torch.equal(inside, drop(torch.ones(1000), 0.5))
    torch.manual_seed(1)
    assert not torch.equal(inside, model(torch.ones(1000)))


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_sixteen_bit_numbers_are_dropped_and_scaled_as_others_are(precision: torch.dtype) -> None:
    values = torch.randn(300, 301).abs() + 1.0
    torch.manual_seed(4)
    expected = drop(values, 0.25)
    torch.manual_seed(4)
    found = drop(values.to(precision), 0.25)
    assert found.dtype is precision
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.0)
