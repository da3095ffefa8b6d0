"""Structured pruning: whole feed-forward units removed, so that the dense model becomes smaller.

Every layer keeps as many units, since transformers loads only one width. A unit's importance is the
first-order change of a row's loss when it is removed, activation × gradient over the row's tokens, of either
sign, summed over the rows (Molchanov et al. 2017; Michel et al. 2019).
"""

from collections.abc import Iterable
from typing import Any

import torch
from transformers import PreTrainedModel

from pipeline.core.errors import ArtifactError
from pipeline.text.batching import Ids
from pipeline.training.loop import Objective


def unit_importance(
    model: torch.nn.Module, objective: Objective, batches: Iterable[Ids]
) -> list[torch.Tensor]:
    """Importance of each feed-forward unit, one tensor `(feed_forward_size,)` a layer."""
    model.eval()
    layers = _layers(model)
    device = next(model.parameters()).device
    totals = [torch.zeros(layer.intermediate.dense.out_features, device=device) for layer in layers]
    for rows in batches:
        kept: list[torch.Tensor] = []
        hooks = [layer.intermediate.register_forward_hook(_keep(kept)) for layer in layers]
        model.zero_grad()
        objective.loss(model, rows, device).backward()  # type: ignore[no-untyped-call]
        for hook in hooks:
            hook.remove()
        for layer, units in enumerate(kept):
            effect = units.detach() * _gradient(units)
            totals[layer] += effect.sum(dim=1).abs().sum(dim=0)
    model.zero_grad()
    return totals


def narrow_feed_forward(
    model: PreTrainedModel, importance: list[torch.Tensor], *, keep_share: float
) -> int:
    """Remove the least important units of each layer in place; returns the new width.

    Raises:
        ArtifactError: nothing would be left.
    """
    width: int = model.config.intermediate_size
    kept = round(width * keep_share)
    if kept < 1:
        raise ArtifactError(
            f"prune.keep_share = {keep_share} of {width} units",
            expected="at least one unit to stay",
            next_step="raise prune.keep_share",
        )
    for layer, scores in zip(_layers(model), importance, strict=True):
        units = scores.topk(kept).indices.sort().values
        inner, outer = layer.intermediate.dense, layer.output.dense
        inner.weight = torch.nn.Parameter(inner.weight.detach()[units].contiguous())
        inner.bias = torch.nn.Parameter(inner.bias.detach()[units].contiguous())
        outer.weight = torch.nn.Parameter(outer.weight.detach()[:, units].contiguous())
        inner.out_features = outer.in_features = kept
    model.config.intermediate_size = kept
    return kept


def _layers(model: torch.nn.Module) -> Any:
    """The transformer layers of a BERT-shaped model."""
    layers = getattr(getattr(getattr(model, "base_model", None), "encoder", None), "layer", None)
    if layers is None:
        raise ArtifactError(
            f"a {type(model).__name__}",
            expected="a BERT-shaped model with base_model.encoder.layer",
            next_step="set prune.keep_share: 1.0, or use pretrain.model: bert",
        )
    return layers


def _gradient(units: torch.Tensor) -> torch.Tensor:
    if units.grad is None:
        raise ArtifactError(
            "feed-forward units without a gradient",
            expected="a model whose loss depends on every layer",
            next_step="look at the objective given to unit_importance",
        )
    return units.grad


def _keep(kept: list[torch.Tensor]) -> Any:
    def hook(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    return hook
