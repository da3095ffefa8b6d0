"""LSTMs with projection answer and learn as torch's own, each direction by itself."""

import pytest
import torch

from pipeline.models.lstm import LSTMLayer

SIZE, CELLS, LENGTH, BATCH = 6, 10, 7, 3


def a_layer() -> LSTMLayer:
    torch.manual_seed(0)
    return LSTMLayer(SIZE, CELLS, directions=2).double()


def inputs() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, LENGTH, BATCH, SIZE, dtype=torch.double, generator=generator)


def torchs(layer: LSTMLayer, direction: int) -> torch.nn.LSTM:
    """The same weights in torch's LSTM, which warns that its path for projections is slow."""
    lstm = torch.nn.LSTM(SIZE, CELLS, proj_size=SIZE).double()
    weights = {
        "weight_ih_l0": layer.input_weight[direction],
        "weight_hh_l0": layer.recurrent_weight[direction],
        "bias_ih_l0": layer.bias[direction],
        "bias_hh_l0": torch.zeros_like(layer.bias[direction]),
        "weight_hr_l0": layer.projection[direction],
    }
    lstm.load_state_dict(weights)
    return lstm


def gradient(tensor: torch.Tensor) -> torch.Tensor:
    assert tensor.grad is not None
    return tensor.grad


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("direction", [0, 1])
def test_answers_and_gradients_are_those_of_torch(direction: int) -> None:
    layer, texts = a_layer(), inputs().requires_grad_()
    reference, same = torchs(layer, direction), inputs()[direction].requires_grad_()
    wanted = torch.randn(LENGTH, BATCH, SIZE, dtype=torch.double)
    answer, expected = layer(texts)[direction], reference(same)[0]
    assert torch.allclose(answer, expected, atol=1e-12)
    (answer * wanted).sum().backward()
    (expected * wanted).sum().backward()
    for ours, theirs in (
        (texts, same),
        (layer.input_weight, reference.weight_ih_l0),
        (layer.recurrent_weight, reference.weight_hh_l0),
        (layer.bias, reference.bias_ih_l0),
        (layer.projection, reference.weight_hr_l0),
    ):
        assert torch.allclose(gradient(ours)[direction], gradient(theirs), atol=1e-10)
    assert not gradient(layer.projection)[1 - direction].any()


def test_weight_drop_leaves_recurrent_weights_out_in_training_alone() -> None:
    layer, texts = a_layer(), inputs()
    assert not torch.equal(layer(texts, weight_drop=0.5), layer(texts, weight_drop=0.5))
    layer.eval()
    assert torch.equal(layer(texts, weight_drop=0.5), layer(texts))
    first = layer(texts)[:, 0]
    layer.train()
    assert torch.equal(layer(texts, weight_drop=0.5)[:, 0], first)  # no recurrence before the first


def test_one_text_alone_is_answered_as_beside_others() -> None:
    layer, texts = a_layer(), inputs()
    assert torch.allclose(layer(texts[:, :, 1:2]), layer(texts)[:, :, 1:2], atol=1e-14)
