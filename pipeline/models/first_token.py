"""Computes the last layer of a BERT classifier for the first token only.

BERT's pooler reads the first token of the last layer and nothing else (Devlin et al. 2019), so
queries, attention output and feed-forward layer of all other tokens, most of a layer, are wasted
work. Keys and values are computed for all tokens. Answers stay the same; a two-layer classifier
needs about a third less arithmetic, in training and in the exported graph.
"""

from typing import Any

import torch
from transformers import BertForSequenceClassification, PreTrainedModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bert.modeling_bert import BertLayer, eager_attention_forward


def read_first_token_only(model: PreTrainedModel) -> None:
    """Replaces the last layer of a BERT classifier in place; other models stay as they are.

    Parameter names stay the same, so the model is saved and loaded as before.
    """
    if isinstance(model, BertForSequenceClassification):
        layers = model.bert.encoder.layer
        if isinstance(layers[-1], BertLayer):
            layers[-1] = FirstTokenLayer(layers[-1])


class FirstTokenLayer(torch.nn.Module):
    """A BERT layer with the weights of `layer` and an output for the first token only."""

    def __init__(self, layer: BertLayer) -> None:
        super().__init__()
        self.attention = layer.attention
        self.intermediate = layer.intermediate
        self.output = layer.output
        self.train(layer.training)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *_: Any,
        **__: Any,
    ) -> torch.Tensor:
        """From `(batch, length, hidden)` to `(batch, 1, hidden)`.

        Args:
            attention_mask: as transformers prepares it, `(batch, 1, length, length)`; None without
                mask.
        """
        first = hidden_states[:, :1]
        attention = self.attention.self
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            attention.config._attn_implementation, eager_attention_forward
        )
        context, _weights = attend(
            attention,
            self._heads(attention.query(first)),
            self._heads(attention.key(hidden_states)),
            self._heads(attention.value(hidden_states)),
            None if attention_mask is None else attention_mask[:, :, :1],
            dropout=attention.dropout.p if self.training else 0.0,
            scaling=attention.scaling,
        )
        attended = self.attention.output(context.flatten(2), first)
        result: torch.Tensor = self.output(self.intermediate(attended), attended)
        return result

    def _heads(self, projected: torch.Tensor) -> torch.Tensor:
        """From `(batch, length, hidden)` to `(batch, heads, length, size)`."""
        size: int = self.attention.self.attention_head_size
        batch, length, hidden = projected.shape
        return projected.view(batch, length, hidden // size, size).transpose(1, 2)
