"""The importance of a BERT's units, heads and layers: the change of loss without each.

A first-order estimate (Molchanov et al. 2017; Michel et al. 2019): activation × gradient is summed
over each row's tokens, and its absolute value over the rows, so that a part that helps one row as
much as it harms another still counts as important.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from pipeline.core.errors import ArtifactError
from pipeline.models.features import encoder_layers, hooked
from pipeline.text.batching import Ids
from pipeline.training.loop import Objective

_Effect = Callable[[torch.Tensor], torch.Tensor]
"""From activation × gradient, `(batch, length, width)`, to each part's effect, `(batch, parts)`."""


def unit_importance(
    model: torch.nn.Module, objective: Objective, batches: Iterable[Ids]
) -> list[torch.Tensor]:
    """The importance of each feed-forward unit, one tensor `(feed_forward_size,)` per layer."""
    readers = [layer.output.dense for layer in encoder_layers(model)]
    return _importance(
        model, objective, batches, readers=readers, effect=lambda effect: effect.sum(dim=1)
    )


def head_importance(
    model: torch.nn.Module, objective: Objective, batches: Iterable[Ids]
) -> list[torch.Tensor]:
    """The importance of each attention head, one tensor `(heads,)` per layer."""
    layers = encoder_layers(model)
    size: int = layers[0].attention.self.attention_head_size

    def by_head(effect: torch.Tensor) -> torch.Tensor:
        by_text = effect.sum(dim=1)
        return by_text.view(len(by_text), -1, size).sum(dim=-1)

    readers = [layer.attention.output.dense for layer in layers]
    return _importance(model, objective, batches, readers=readers, effect=by_head)


def layer_importance(
    model: torch.nn.Module, objective: Objective, batches: Iterable[Ids]
) -> torch.Tensor:
    """The importance of each layer, `(layers,)`; a removed layer passes its input on unchanged."""
    model.eval()
    layers = encoder_layers(model)
    device = next(model.parameters()).device
    totals = torch.zeros(len(layers), device=device)
    for rows in batches:
        kept: list[tuple[torch.Tensor, torch.Tensor]] = []

        def keep(_module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
            output.retain_grad()
            kept.append((inputs[0].detach(), output))  # noqa: B023 - called within this turn

        with hooked([layer.register_forward_hook(keep) for layer in layers]):
            backpropagate(model, objective, rows, device=device)
        for number, (given, output) in enumerate(kept):
            # A last layer computed for the first token alone has only one token of output.
            change = (output.detach() - given[:, : output.shape[1]]) * gradient_of(output)
            totals[number] += change.sum(dim=(1, 2)).abs().sum()
    model.zero_grad()
    return totals


def _importance(
    model: torch.nn.Module,
    objective: Objective,
    batches: Iterable[Ids],
    *,
    readers: Sequence[torch.nn.Module],
    effect: _Effect,
) -> list[torch.Tensor]:
    """The importance of the parts that each reader module takes as input, `(parts,)` per reader."""
    model.eval()
    device = next(model.parameters()).device
    totals: list[torch.Tensor | float] = [0.0] * len(readers)
    for rows in batches:
        kept: list[torch.Tensor] = []

        def keep(_module: torch.nn.Module, inputs: Any) -> None:
            inputs[0].retain_grad()
            kept.append(inputs[0])  # noqa: B023 - called within this turn

        with hooked([reader.register_forward_pre_hook(keep) for reader in readers]):
            backpropagate(model, objective, rows, device=device)
        for number, read in enumerate(kept):
            totals[number] += effect(read.detach() * gradient_of(read)).abs().sum(dim=0)
    model.zero_grad()
    return [torch.as_tensor(total) for total in totals]


def backpropagate(
    model: torch.nn.Module, objective: Objective, rows: Ids, *, device: torch.device
) -> None:
    """Computes the gradients of one batch alone."""
    model.zero_grad()
    objective.loss(model, rows, device).backward()  # type: ignore[no-untyped-call]


def gradient_of(read: torch.Tensor) -> torch.Tensor:
    """The gradient of a tensor after `backpropagate`, refused where there is none."""
    if read.grad is None:
        raise ArtifactError(
            "a layer without a gradient",
            expected="a model whose loss depends on every layer",
            next_step="check the objective by which importance is measured",
        )
    return read.grad
