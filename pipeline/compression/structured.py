"""Structured pruning: whole units, heads and layers removed, so that the dense model becomes smaller and faster.

Every layer keeps as many units and as many heads. Layers and units leave a BERT as transformers loads it; so do
heads, for a model is saved with zeros in their place (`fill_heads`), and `kept_heads` in its config, by which the
export leaves them out again (`drop_heads`): its answers are the same, but for rounding.
"""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pipeline.core.errors import ArtifactError
from pipeline.models.features import encoder_layers
from pipeline.models.first_token import read_first_token_only

_KEPT_HEADS = "kept_heads"


def narrow_feed_forward(
    model: PreTrainedModel, importance: list[torch.Tensor], *, keep_share: float
) -> int:
    """Remove the least important units of each layer in place; returns the new width.

    Raises:
        ArtifactError: nothing would be left.
    """
    kept = number_kept(model.config.intermediate_size, keep_share, "keep_share", "unit")
    for layer, scores in zip(encoder_layers(model), importance, strict=True):
        units = _largest(scores, kept)
        _keep_outputs(layer.intermediate.dense, units)
        _keep_inputs(layer.output.dense, units)
    model.config.intermediate_size = kept
    return kept


def remove_heads(
    model: PreTrainedModel, importance: list[torch.Tensor], *, keep_share: float
) -> int:
    """Remove the least important attention heads of each layer in place; returns how many each keeps.

    Raises:
        ArtifactError: nothing would be left.
    """
    heads: int = model.config.num_attention_heads
    kept = number_kept(heads, keep_share, "keep_heads", "head")
    if kept == heads:
        return heads
    for layer, scores in zip(encoder_layers(model), importance, strict=True):
        _keep_heads(layer.attention, _largest(scores, kept))
    setattr(model.config, _KEPT_HEADS, kept)
    return kept


def fill_heads(model: PreTrainedModel) -> None:
    """Put heads of zeros in the place of those that were removed, so that the model is saved as any other."""
    if getattr(model.config, _KEPT_HEADS, None) is None:
        return
    width: int = model.config.hidden_size
    for layer in encoder_layers(model):
        attention = layer.attention.self
        for linear in (attention.query, attention.key, attention.value):
            missing = width - linear.out_features
            linear.weight = _parameter(nn.functional.pad(linear.weight, (0, 0, 0, missing)))
            linear.bias = _parameter(nn.functional.pad(linear.bias, (0, missing)))
            linear.out_features = width
        reader = layer.attention.output.dense
        reader.weight = _parameter(
            nn.functional.pad(reader.weight, (0, width - reader.in_features))
        )
        reader.in_features = width


def drop_heads(model: PreTrainedModel) -> None:
    """Leave out the heads of zeros that `fill_heads` made; other models stay as they are."""
    kept = getattr(model.config, _KEPT_HEADS, None)
    if kept is None:
        return
    for layer in encoder_layers(model):
        _keep_heads(layer.attention, torch.arange(kept))


def remove_layers(model: PreTrainedModel, importance: torch.Tensor, *, keep: int) -> list[int]:
    """Remove the least important layers in place; returns the numbers of those that stay.

    Raises:
        ArtifactError: the model has fewer than `keep`.
    """
    layers = encoder_layers(model)
    if keep > len(layers):
        raise ArtifactError(
            f"prune.layers = {keep} of {len(layers)}",
            expected=f"1 to {len(layers)}, or null for all",
            next_step="correct prune.layers",
        )
    stay: list[int] = _largest(importance, keep).tolist()
    model.base_model.encoder.layer = nn.ModuleList([layers[number] for number in stay])
    model.config.num_hidden_layers = keep
    read_first_token_only(model)
    return stay


def number_kept(there: int, share: float, name: str, part: str) -> int:
    """How many of `there` parts a share leaves.

    Args:
        name: of the setting under `prune` that says the share.
        part: what one of them is called.

    Raises:
        ArtifactError: none would be left.
    """
    kept = round(there * share)
    if kept < 1:
        raise ArtifactError(
            f"prune.{name} = {share} of {there} {part}s",
            expected=f"at least one {part} to stay",
            next_step=f"raise prune.{name}",
        )
    return kept


def _largest(scores: torch.Tensor, count: int) -> torch.Tensor:
    """Numbers of the `count` largest, in their old order."""
    return scores.topk(count).indices.sort().values


def _keep_heads(attention: Any, heads: torch.Tensor) -> None:
    size: int = attention.self.attention_head_size
    places = (heads[:, None] * size + torch.arange(size, device=heads.device)).flatten()
    for linear in (attention.self.query, attention.self.key, attention.self.value):
        _keep_outputs(linear, places)
    _keep_inputs(attention.output.dense, places)


def _keep_outputs(linear: nn.Linear, places: torch.Tensor) -> None:
    linear.weight = _parameter(linear.weight[places])
    linear.bias = _parameter(linear.bias[places])
    linear.out_features = len(places)


def _keep_inputs(linear: nn.Linear, places: torch.Tensor) -> None:
    linear.weight = _parameter(linear.weight[:, places])
    linear.in_features = len(places)


def _parameter(values: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(values.detach().contiguous())
