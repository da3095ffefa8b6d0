"""Structured pruning of LSTMs with projection: removes cells, as many in every layer.

A cell reaches the rest of the model only through its column of the projection. So the first-order
change of the loss when it is removed (activation × gradient, summed over steps and texts) equals
weight × gradient summed over that column (Molchanov et al. 2017).
"""

from collections.abc import Iterable

import torch

from pipeline.compression.importance import backpropagated, gradient_of
from pipeline.compression.structured import new_parameter, number_kept
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.lstm import GATES, LSTMLayer
from pipeline.text.batching import Ids
from pipeline.training.loop import Objective


def cell_importance(
    model: BilmForSequenceClassification, objective: Objective, batches: Iterable[Ids]
) -> list[torch.Tensor]:
    """The importance of each cell, one tensor `(directions, cells)` per layer."""
    layers = _layers(model)
    totals = [torch.zeros(2, layer.cells, device=layer.projection.device) for layer in layers]
    for _ in backpropagated(model, objective, batches):
        for number, layer in enumerate(layers):
            effect = layer.projection.detach() * gradient_of(layer.projection)
            totals[number] += effect.sum(dim=1).abs()
    return totals


def narrow_cells(
    model: BilmForSequenceClassification, importance: list[torch.Tensor], *, keep_share: float
) -> int:
    """Removes the least important cells of each LSTM in place; returns how many each keeps.

    Raises:
        ArtifactError: nothing would be left.
    """
    cells: int = model.config.intermediate_size
    kept = number_kept(cells, keep_share, setting="keep_share", part="cell")
    for layer, scores in zip(_layers(model), importance, strict=True):
        units = scores.topk(kept, dim=1).indices.sort(dim=1).values  # (directions, kept)
        rows = torch.cat([units + gate * cells for gate in range(GATES)], dim=1)
        for name in ("input_weight", "recurrent_weight", "bias"):
            setattr(layer, name, new_parameter(_select(getattr(layer, name), rows)))
        columns = _select(layer.projection.transpose(1, 2), units).transpose(1, 2)
        layer.projection = new_parameter(columns)
    model.config.intermediate_size = kept
    return kept


def _select(weight: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Selects rows per direction: `rows` is `(directions, kept)`."""
    return torch.stack([weight[direction][some] for direction, some in enumerate(rows)])


def _layers(model: BilmForSequenceClassification) -> list[LSTMLayer]:
    return [module for module in model.modules() if isinstance(module, LSTMLayer)]
