"""Structured pruning: removes whole units, heads and layers from the dense model.

Every layer keeps the same number of units and of heads. After removing layers or units, a model is
still a BERT that transformers loads. transformers knows no BERT with fewer heads than its width
asks for, so a model is saved with zeros in place of removed heads (`fill_heads`) and `kept_heads`
in its config, and the export drops those heads again (`drop_heads`). Answers stay the same but for
rounding.
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
    """Removes the least important units of each layer in place; returns the new width.

    Raises:
        ArtifactError: nothing would be left.
    """
    units: int = model.config.intermediate_size
    kept = number_kept(units, keep_share, setting="keep_share", part="unit")
    for layer, scores in zip(encoder_layers(model), importance, strict=True):
        places = _largest(scores, kept)
        _keep_outputs(layer.intermediate.dense, places)
        _keep_inputs(layer.output.dense, places)
    model.config.intermediate_size = kept
    return kept


def remove_heads(
    model: PreTrainedModel, importance: list[torch.Tensor], *, keep_share: float
) -> int:
    """Removes the least important attention heads of each layer in place; returns how many stay.

    Raises:
        ArtifactError: nothing would be left.
    """
    heads: int = model.config.num_attention_heads
    kept = number_kept(heads, keep_share, setting="keep_heads", part="head")
    if kept == heads:
        return heads
    for layer, scores in zip(encoder_layers(model), importance, strict=True):
        _keep_heads(layer.attention, _largest(scores, kept))
    setattr(model.config, _KEPT_HEADS, kept)
    return kept


def fill_heads(model: PreTrainedModel) -> None:
    """Puts heads of zeros in place of removed ones, so that transformers loads the model."""
    if getattr(model.config, _KEPT_HEADS, None) is None:
        return
    width: int = model.config.hidden_size
    for layer in encoder_layers(model):
        attention = layer.attention.self
        for linear in (attention.query, attention.key, attention.value):
            missing = width - linear.out_features
            linear.weight = new_parameter(nn.functional.pad(linear.weight, (0, 0, 0, missing)))
            linear.bias = new_parameter(nn.functional.pad(linear.bias, (0, missing)))
            linear.out_features = width
        reader = layer.attention.output.dense
        missing = width - reader.in_features
        reader.weight = new_parameter(nn.functional.pad(reader.weight, (0, missing)))
        reader.in_features = width


def drop_heads(model: PreTrainedModel) -> None:
    """Removes the heads of zeros that `fill_heads` added; other models stay as they are."""
    kept = getattr(model.config, _KEPT_HEADS, None)
    if kept is None:
        return
    for layer in encoder_layers(model):
        _keep_heads(layer.attention, torch.arange(kept))


def remove_layers(model: PreTrainedModel, importance: torch.Tensor, *, keep: int) -> list[int]:
    """Removes the least important layers in place; returns the numbers of those that stay.

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


def number_kept(total: int, share: float, *, setting: str, part: str) -> int:
    """The number of parts that a share keeps of `total`; `setting` and `part` are for the error.

    Raises:
        ArtifactError: none would be left.
    """
    kept = round(total * share)
    if kept < 1:
        raise ArtifactError(
            f"prune.{setting} = {share} of {total} {part}s",
            expected=f"at least one {part} to stay",
            next_step=f"raise prune.{setting}",
        )
    return kept


def _largest(scores: torch.Tensor, count: int) -> torch.Tensor:
    """The indices of the `count` largest scores, ascending."""
    return scores.topk(count).indices.sort().values


def _keep_heads(attention: Any, heads: torch.Tensor) -> None:
    size: int = attention.self.attention_head_size
    places = (heads[:, None] * size + torch.arange(size, device=heads.device)).flatten()
    for linear in (attention.self.query, attention.self.key, attention.self.value):
        _keep_outputs(linear, places)
    _keep_inputs(attention.output.dense, places)


def _keep_outputs(linear: nn.Linear, places: torch.Tensor) -> None:
    linear.weight = new_parameter(linear.weight[places])
    linear.bias = new_parameter(linear.bias[places])
    linear.out_features = len(places)


def _keep_inputs(linear: nn.Linear, places: torch.Tensor) -> None:
    linear.weight = new_parameter(linear.weight[:, places])
    linear.in_features = len(places)


def new_parameter(values: torch.Tensor) -> nn.Parameter:
    """A parameter with these values in memory of its own."""
    return nn.Parameter(values.detach().contiguous())
