"""A bidirectional language model in ONNX operators: a table, plain LSTMs, products.

ONNX's LSTM has no projection. The recurrence only uses the product `recurrent · projection`, so the
folded LSTM takes that product as its recurrent weights, and the projection comes after it; answers
are the same up to rounding. Embeddings computed from characters become one precomputed table.
"""

from typing import Any

import torch
from torch import nn

from pipeline.models.bilm import Bilm, Layers, reverse_rows
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.characters import CharacterEmbedding
from pipeline.models.lstm import LSTMLayer


class FoldedLSTM(nn.Module):
    """One direction of an `LSTMLayer` as a plain LSTM and a product."""

    def __init__(self, layer: LSTMLayer, direction: int) -> None:
        super().__init__()
        projection = layer.projection[direction]
        size, cells = projection.shape
        self.lstm = nn.LSTM(size, cells, batch_first=True)
        self.projection = nn.Linear(cells, size, bias=False)
        weights = {
            "weight_ih_l0": layer.input_weight[direction],
            "weight_hh_l0": layer.recurrent_weight[direction] @ projection,
            "bias_ih_l0": layer.bias[direction],
            "bias_hh_l0": torch.zeros_like(layer.bias[direction]),
        }
        self.lstm.load_state_dict(weights)
        self.projection.load_state_dict({"weight": projection})

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(batch, length, size)` to the same shape."""
        projected: torch.Tensor = self.projection(self.lstm(inputs)[0])
        return projected


class FoldedBilm(nn.Module):
    """`Bilm` without dropout, for export."""

    def __init__(self, model: Bilm) -> None:
        super().__init__()
        source: Any = model.embeddings
        table = source.table() if isinstance(source, CharacterEmbedding) else source.weight
        self.embeddings = nn.Embedding(*table.shape)
        self.embeddings.load_state_dict({"weight": table})
        layers: list[Any] = [*model.layers]
        self.stacks = nn.ModuleList(
            nn.ModuleList(FoldedLSTM(layer, direction) for layer in layers) for direction in (0, 1)
        )

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Layers:
        """The states of every layer, as `Bilm` returns them."""
        embedded, lengths = self.embeddings(input_ids), attention_mask.sum(dim=1)
        forward, backward = self.stacks
        turned = self._run(reverse_rows(embedded, lengths), backward)
        return Layers(
            self._run(embedded, forward), [reverse_rows(state, lengths) for state in turned]
        )

    def _run(self, embedded: torch.Tensor, stack: Any) -> list[torch.Tensor]:
        states = [embedded]
        for number, layer in enumerate(stack):
            state = layer(states[-1])
            states.append(state + states[-1] if number else state)
        return states


class FoldedClassifier(nn.Module):
    """`BilmForSequenceClassification` for export: ids and mask to logits `(batch, labels)`."""

    def __init__(self, model: BilmForSequenceClassification) -> None:
        super().__init__()
        self.bilm, self.head = FoldedBilm(model.bilm), model.head

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """`(batch, labels)`."""
        logits: torch.Tensor = self.head(self.bilm(input_ids, attention_mask), attention_mask)
        return logits
