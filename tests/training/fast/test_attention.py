"""Fast attention is torch's own attention, forwards and backwards, but for rounding and draws."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from pipeline.training.fast.attention import attention

_MASKS = ("bool", "float", "none")


def _inputs(kind: str, *, precision: torch.dtype = torch.float32) -> tuple[Any, dict[str, Any]]:
    """Query, key and value `(3, 2, 5, 4)` that want gradients, and the rest of the call."""
    torch.manual_seed(2)
    parts = [torch.randn(3, 2, 5, 4).to(precision).requires_grad_() for _ in range(3)]
    mask = torch.ones(3, 1, 5, 5, dtype=torch.bool)
    mask[0, :, :, 3:] = False
    added = torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    masks = {"bool": mask, "float": added.to(precision), "none": None}
    return parts, {"attn_mask": masks[kind], "scale": 0.3}


def _answer_and_gradients(attend: Any, parts: Any, asked: dict[str, Any]) -> list[torch.Tensor]:
    answer = attend(*parts, **asked)
    torch.manual_seed(5)
    found = torch.autograd.grad(answer, parts, torch.randn(answer.shape).to(answer.dtype))
    return [answer, *found]


@pytest.mark.parametrize("kind", _MASKS)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_answer_and_gradients_are_those_of_torch(kind: str, precision: torch.dtype) -> None:
    parts, asked = _inputs(kind)
    expected = _answer_and_gradients(functional.scaled_dot_product_attention, parts, asked)
    parts, asked = _inputs(kind, precision=precision)
    found = _answer_and_gradients(attention, parts, asked)
    bound = {torch.float32: 1e-5, torch.bfloat16: 0.05}[precision]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype is precision
        torch.testing.assert_close(ours.float(), theirs, atol=bound, rtol=bound)


@pytest.mark.parametrize("kind", ["bool", "float"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_row_without_any_token_is_finite_and_spreads_nothing(kind: str, share: float) -> None:
    """Such are padded places of a model with local attention that are far from the text."""
    parts, asked = _inputs(kind)
    nothing = torch.zeros(3, 1, 5, 5, dtype=torch.bool)
    nothing[0, :, 4] = True
    mask = asked["attn_mask"]
    asked["attn_mask"] = mask & ~nothing if kind == "bool" else mask.masked_fill(nothing, -math.inf)
    for found in _answer_and_gradients(attention, parts, asked | {"dropout_p": share}):
        assert found.isfinite().all()
    read = ~nothing[:, :, :, 0].expand(3, 2, 5)
    expected = functional.scaled_dot_product_attention(*parts, **asked)[read]
    torch.testing.assert_close(attention(*parts, **asked)[read], expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", _MASKS)
def test_with_dropout_attention_is_torch_s_own_but_for_the_draws(kind: str) -> None:
    parts, asked = _inputs(kind)
    expected = functional.scaled_dot_product_attention(*parts, **asked)
    # Asks for dropout, and is under what sixteen bits can tell from none.
    found = attention(*parts, **(asked | {"dropout_p": 1e-7}))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("length", [16, 4096])
def test_no_gradient_and_long_texts_are_left_to_torch(length: int) -> None:
    """torch's fused attention does not build the weights, which grow as the square of the length."""
    parts = [torch.randn(1, 1, length, 4) for _ in range(3)]
    if length > 16:
        parts = [part.requires_grad_() for part in parts]
    with torch.profiler.profile() as watched:
        attention(*parts)
    assert "aten::softmax" not in {event.key for event in watched.key_averages()}


def test_attention_drops_weights() -> None:
    torch.manual_seed(3)
    query, key = torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 2000, 4)
    value = torch.ones(1, 1, 2000, 1)
    found = attention(query, key, value, dropout_p=0.5)
    assert found.item() != 1.0
    assert found.item() == pytest.approx(1.0, abs=0.15)
