"""Fast dropout drops the right share of elements and changes nothing else."""

import math
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch.nn import functional

from pipeline.training.fast.dropout import drop, quick_dropout


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
    with quick_dropout():
        assert torch.equal(model(inputs), model[0](inputs))


def test_modules_draw_from_torch_s_generator_inside_the_context() -> None:
    model = torch.nn.Dropout(0.5).train()
    torch.manual_seed(1)
    with quick_dropout():
        inside = model(torch.ones(1000))
    torch.manual_seed(1)
    assert torch.equal(inside, drop(torch.ones(1000), 0.5))
    torch.manual_seed(1)
    assert not torch.equal(inside, model(torch.ones(1000)))


@pytest.mark.parametrize("kind", ["bool", "float", "none"])
def test_attention_is_torch_s_own_but_for_the_draws(kind: str) -> None:
    torch.manual_seed(2)
    query, key, value = (torch.randn(3, 2, 5, 4) for _ in range(3))
    mask = torch.ones(3, 1, 5, 5, dtype=torch.bool)
    mask[0, :, :, 3:] = False
    added = torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    masks = {"bool": mask, "float": added, "none": None}
    asked: dict[str, Any] = {"attn_mask": masks[kind], "scale": 0.3}
    expected = functional.scaled_dot_product_attention(query, key, value, **asked)
    with quick_dropout():
        # Asks for dropout, and is under what sixteen bits can tell from none.
        asked |= {"dropout_p": 1e-7}
        found = functional.scaled_dot_product_attention(query, key, value, **asked)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_attention_drops_weights() -> None:
    torch.manual_seed(3)
    query, key = torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 2000, 4)
    value = torch.ones(1, 1, 2000, 1)
    with quick_dropout():
        found = functional.scaled_dot_product_attention(query, key, value, dropout_p=0.5)
    assert found.item() != 1.0
    assert found.item() == pytest.approx(1.0, abs=0.15)


def test_torch_has_its_own_functions_back_after_an_error() -> None:
    own = functional.dropout, functional.scaled_dot_product_attention
    with quick_dropout():
        assert functional.dropout is not own[0]
    with suppress(KeyboardInterrupt), quick_dropout():
        raise KeyboardInterrupt
    with quick_dropout(), quick_dropout():
        pass
    assert (functional.dropout, functional.scaled_dot_product_attention) == own


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_sixteen_bit_numbers_are_dropped_and_scaled_as_others_are(precision: torch.dtype) -> None:
    values = torch.randn(300, 301).abs() + 1.0
    torch.manual_seed(4)
    expected = drop(values, 0.25)
    torch.manual_seed(4)
    found = drop(values.to(precision), 0.25)
    assert found.dtype is precision
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.0)
