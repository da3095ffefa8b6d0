"""A convolution over tokens and the matrix product in its place give the same answers."""

import pytest
import torch
from torch import nn

from pipeline.compression.convolution import NeighbourProduct, convolutions_as_products, is_product


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("kernel", [1, 2, 5])
@pytest.mark.parametrize("padding", ["same", "valid", 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_the_product_is_the_convolution(kernel: int, padding, dilation: int, bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv1d(6, 4, kernel, padding=padding, dilation=dilation, bias=bias)
    product = NeighbourProduct(convolution)
    for length in (9, 12):
        states = torch.randn(3, 6, length)
        torch.testing.assert_close(product(states), convolution(states))


def test_only_what_is_a_product_is_replaced_however_deep_it_stands() -> None:
    strided, grouped = nn.Conv1d(4, 4, 3, stride=2), nn.Conv1d(4, 4, 3, groups=2)
    mirrored = nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect")
    inner = nn.ModuleList([nn.Conv1d(4, 4, 3)])
    model = nn.ModuleList([inner, strided, grouped, mirrored])
    convolutions_as_products(model)
    assert isinstance(inner[0], NeighbourProduct)
    assert list(model)[1:] == [strided, grouped, mirrored]
    assert not any(map(is_product, (strided, grouped, mirrored)))
