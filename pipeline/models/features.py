"""Hidden features of a classifier: its last layer's inputs, its layers' mean states."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from pipeline.core.errors import ArtifactError


def output_layer(model: nn.Module) -> nn.Linear:
    """The last linear layer, which computes the logits.

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
    """Yields a list to which forward passes add the last layer's inputs, `(batch, width)`."""
    read: list[torch.Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        read.append(inputs[0])

    with output_layer(model).register_forward_pre_hook(keep):
        yield read


@contextmanager
def hooked(hooks: Sequence[Any]) -> Iterator[None]:
    """Removes the hooks when the block ends."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def encoder_layers(model: nn.Module) -> Any:
    """The transformer layers of a BERT-shaped model, a list of modules.

    Raises:
        ArtifactError: it has none.
    """
    layers = getattr(getattr(getattr(model, "base_model", None), "encoder", None), "layer", None)
    if layers is None:
        raise ArtifactError(
            f"a {type(model).__name__}",
            expected="a BERT-shaped model with base_model.encoder.layer",
            next_step="switch off what needs its layers: prune.keep_share: 1.0, distill.hidden_weight: 0",
        )
    return layers


@contextmanager
def layer_means(
    model: nn.Module, numbers: Sequence[int], mask: torch.Tensor
) -> Iterator[list[torch.Tensor]]:
    """Yields a list to which a forward pass adds the mean states after the layers `numbers`.

    Means over tokens can be compared between models with different vocabularies.

    Args:
        numbers: layers, 1 the lowest. The last is not available: a classifier computes it for one
            token.
        mask: 1 for each real token, `(batch, length)`.

    Raises:
        ArtifactError: the model has no such layer below its last.
    """
    layers = encoder_layers(model) if numbers else []
    if wrong := [number for number in numbers if not 1 <= number < len(layers)]:
        raise ArtifactError(
            f"the states after layer {wrong[0]} of {len(layers)}",
            expected=f"1 to {len(layers) - 1}",
            next_step="correct transfer.hidden_layers",
        )
    found: list[torch.Tensor] = []
    weights = (mask / mask.sum(dim=1, keepdim=True))[:, :, None]

    def keep(_layer: nn.Module, _inputs: tuple[torch.Tensor, ...], output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        found.append((states.float() * weights).sum(dim=1))

    with hooked([layers[number - 1].register_forward_hook(keep) for number in numbers]):
        yield found
