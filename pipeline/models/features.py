"""What a classifier has understood of a text: the numbers that its last linear layer reads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from pipeline.core.errors import ArtifactError


def output_layer(model: nn.Module) -> nn.Linear:
    """The last linear layer, which gives the logits.

    Raises:
        ArtifactError: there is none.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    labels = getattr(getattr(model, "config", None), "num_labels", None)
    found = [layer for layer in layers if layer.out_features == labels]
    if not found:
        raise ArtifactError(
            f"a {type(model).__name__} without a linear layer of {labels} outputs",
            expected="a sequence classifier whose last layer is linear",
            next_step="name another prepare.checkpoint",
        )
    return found[-1]


@contextmanager
def features_read(model: nn.Module) -> Iterator[list[torch.Tensor]]:
    """A list that holds, of each forward pass inside, what the last linear layer read, `(batch, width)`."""
    read: list[torch.Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        read.append(inputs[0])

    handle = output_layer(model).register_forward_pre_hook(keep)
    try:
        yield read
    finally:
        handle.remove()
