"""Cross-entropy computed a few rows at a time equals torch's."""

import pytest
import torch
from torch.nn import functional

from pipeline.training.fast.softmax import linear_cross_entropy

Layer = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def a_layer(rows: int) -> Layer:
    torch.manual_seed(0)
    states, weight, bias = torch.randn(rows, 6), torch.randn(50, 6), torch.randn(50)
    return states.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


def gradients(loss: torch.Tensor, parts: Layer) -> list[torch.Tensor]:
    return list(torch.autograd.grad(3 * loss, parts))


@pytest.mark.parametrize("rows", [1, 127, 128, 300])
def test_loss_and_gradients_are_those_of_the_whole_table(rows: int) -> None:
    parts, targets = a_layer(rows), torch.randint(50, (rows,))
    whole = functional.cross_entropy(functional.linear(*parts), targets)
    found = linear_cross_entropy(*parts, targets)
    torch.testing.assert_close(found, whole)
    torch.testing.assert_close(gradients(found, parts), gradients(whole, parts))


def test_under_autocast_products_are_bfloat16_and_gradients_keep_their_own_type() -> None:
    parts, targets = a_layer(200), torch.randint(50, (200,))
    whole = functional.cross_entropy(functional.linear(*parts), targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = linear_cross_entropy(*parts, targets)
    torch.testing.assert_close(found, whole, atol=0.02, rtol=0.02)
    assert [part.dtype for part in gradients(found, parts)] == [torch.float32] * 3


def test_logits_too_large_for_an_exponential_are_no_trouble() -> None:
    states, weight = torch.tensor([[1.0]]), torch.tensor([[1000.0], [999.0]])
    loss = linear_cross_entropy(states, weight, torch.zeros(2), torch.tensor([1]))
    assert loss.item() == pytest.approx(1.3133, abs=1e-3)


def test_without_gradients_only_the_loss_is_computed() -> None:
    parts, targets = a_layer(40), torch.randint(50, (40,))
    with torch.inference_mode():
        found = linear_cross_entropy(*parts, targets)
        whole = functional.cross_entropy(functional.linear(*parts), targets)
    assert found.item() == pytest.approx(whole.item(), rel=1e-5)
