"""The importance of a BERT's units, heads and layers: the change of loss without each.

A first-order estimate (Molchanov et al. 2017; Michel et al. 2019): activation × gradient is summed
over each row's tokens, and its absolute value over the rows, so that a part that helps one row as
much as it harms another still counts as important.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch

from pipeline.core.errors import ArtifactError
from pipeline.models.features import encoder_layers, hooked
from pipeline.text.batching import Ids
from pipeline.training.loop import Objective

Batches = Iterable[Ids]
Effect = Callable[[torch.Tensor], torch.Tensor]
"""From activation × gradient, `(batch, length, width)`, to each part's effect, `(batch, parts)`."""


def unit_importance(
    model: torch.nn.Module, objective: Objective, batches: Batches
) -> list[torch.Tensor]:
    """The importance of each feed-forward unit, one tensor `(feed_forward_size,)` per layer."""
    readers = [layer.output.dense for layer in encoder_layers(model)]

    def by_unit(effect: torch.Tensor) -> torch.Tensor:
        return effect.sum(dim=1)

    return _importance(model, objective, batches, readers=readers, effect_of=by_unit)


def head_importance(
    model: torch.nn.Module, objective: Objective, batches: Batches
) -> list[torch.Tensor]:
    """The importance of each attention head, one tensor `(heads,)` per layer."""
    layers = encoder_layers(model)
    size: int = layers[0].attention.self.attention_head_size

    def by_head(effect: torch.Tensor) -> torch.Tensor:
        by_text = effect.sum(dim=1)
        return by_text.view(len(by_text), -1, size).sum(dim=-1)

    readers = [layer.attention.output.dense for layer in layers]
    return _importance(model, objective, batches, readers=readers, effect_of=by_head)


def layer_importance(
    model: torch.nn.Module, objective: Objective, batches: Batches
) -> torch.Tensor:
    """The importance of each layer, `(layers,)`; a removed layer passes its input on unchanged."""
    layers = encoder_layers(model)
    totals = torch.zeros(len(layers), device=next(model.parameters()).device)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []

    def keep(_module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        output.retain_grad()
        kept.append((inputs[0].detach(), output))

    with hooked([layer.register_forward_hook(keep) for layer in layers]):
        for _ in backpropagated(model, objective, batches):
            for number, (given, output) in enumerate(kept):
                # A last layer computed for the first token alone has only one token of output.
                change = (output.detach() - given[:, : output.shape[1]]) * gradient_of(output)
                totals[number] += change.sum(dim=(1, 2)).abs().sum()
            kept.clear()
    return totals


def _importance(
    model: torch.nn.Module,
    objective: Objective,
    batches: Batches,
    *,
    readers: Sequence[torch.nn.Module],
    effect_of: Effect,
) -> list[torch.Tensor]:
    """The importance of the parts that each reader module takes as input, `(parts,)` per reader."""
    totals: list[torch.Tensor | float] = [0.0] * len(readers)
    kept: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, inputs: Any) -> None:
        inputs[0].retain_grad()
        kept.append(inputs[0])

    with hooked([reader.register_forward_pre_hook(keep) for reader in readers]):
        for _ in backpropagated(model, objective, batches):
            for number, read in enumerate(kept):
                totals[number] += effect_of(read.detach() * gradient_of(read)).abs().sum(dim=0)
            kept.clear()
    return [torch.as_tensor(total) for total in totals]


def backpropagated(
    model: torch.nn.Module, objective: Objective, batches: Batches
) -> Iterator[None]:
    """Yields whenever the gradients of one batch alone are there; the model is in evaluation."""
    model.eval()
    device = next(model.parameters()).device
    for rows in batches:
        model.zero_grad()
        objective.loss(model, rows, device).backward()  # type: ignore[no-untyped-call]
        yield
    model.zero_grad()


def gradient_of(read: torch.Tensor) -> torch.Tensor:
    """The gradient of a tensor after backpropagation, refused where there is none."""
    if read.grad is None:
        raise ArtifactError(
            "a layer without a gradient",
            expected="a model whose loss depends on every layer",
            next_step="check the objective by which importance is measured",
        )
    return read.grad
