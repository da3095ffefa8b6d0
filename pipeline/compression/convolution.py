"""Writes a convolution over tokens as one matrix product, which int8 takes and a convolution is not.

ONNX Runtime has no operator for a convolution of unsigned by signed bytes, so `quantize` would leave its
weights in float32. A convolution of stride 1 is the product of its weights with the states of
neighbouring tokens side by side: `out[t] = W · [x[t], x[t + 1], …]`. Answers stay the same.
"""

import torch
from torch import nn
from torch.nn.functional import pad


class NeighbourProduct(nn.Module):
    """A `Conv1d` of stride 1 and one group, as a linear layer over neighbouring tokens."""

    def __init__(self, convolution: nn.Conv1d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        outputs, inputs, width = weight.shape
        self.width, self.step = width, convolution.dilation[0]
        self.padding = _padding(convolution)
        self.product = nn.Linear(width * inputs, outputs, bias=convolution.bias is not None)
        self.product.weight = nn.Parameter(weight.permute(0, 2, 1).reshape(outputs, -1))
        if convolution.bias is not None:
            self.product.bias = nn.Parameter(convolution.bias.detach())

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """From `(batch, inputs, length)` to `(batch, outputs, length)`, or shorter without padding."""
        tokens = pad(states, self.padding).transpose(1, 2)
        length = tokens.shape[1] - self.step * (self.width - 1)
        shifted = [tokens[:, at * self.step :][:, :length] for at in range(self.width)]
        found: torch.Tensor = self.product(torch.cat(shifted, dim=-1)).transpose(1, 2)
        return found


def convolutions_as_products(module: nn.Module) -> None:
    """Replaces in place every `Conv1d` inside a module that can be written so; others stay."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv1d) and is_product(child):
            setattr(module, name, NeighbourProduct(child).train(child.training))
        else:
            convolutions_as_products(child)


def is_product(convolution: nn.Conv1d) -> bool:
    """Whether a convolution has stride 1, one group, and zeros beyond the ends."""
    plain = convolution.stride == (1,) and convolution.groups == 1
    return plain and convolution.padding_mode == "zeros"


def _padding(convolution: nn.Conv1d) -> tuple[int, int]:
    """Zeros before the first and after the last token."""
    if convolution.padding == "valid":
        return 0, 0
    if convolution.padding == "same":
        total = convolution.dilation[0] * (convolution.kernel_size[0] - 1)
        return total // 2, total - total // 2
    return int(convolution.padding[0]), int(convolution.padding[0])
