"""A BERT classifier for export: what does not depend on the input is precomputed.

transformers builds masks for every kind of attention and looks up a segment for every token, even
if there is only one. Exported, that is some forty small operators, a twelfth of the time that a
two-layer student takes for a short text. Here the mask is one row per text, the only segment is
added to the position embeddings beforehand, and positions beyond `max_length` are dropped. Answers
stay the same.
"""

import torch
from torch import nn
from transformers import BertForSequenceClassification


class FoldedBert(nn.Module):
    """`model` with positional inputs and one output tensor; shares the model's weights.

    Args:
        model: with eager attention, in evaluation mode.
        segments: whether the graph has segment ids as an input.
        max_length: the most tokens of an input; None keeps all positions of the model.
    """

    def __init__(
        self, model: BertForSequenceClassification, *, segments: bool, max_length: int | None
    ) -> None:
        super().__init__()
        embeddings = model.bert.embeddings
        positions = embeddings.position_embeddings.weight.detach()[:max_length]
        segment_table = embeddings.token_type_embeddings
        if not segments:
            positions = positions + segment_table.weight.detach()[0]
        self.words, self.norm = embeddings.word_embeddings, embeddings.LayerNorm
        self.positions = nn.Embedding(
            len(positions), positions.shape[1], _weight=positions.contiguous()
        )
        self.segments = segment_table if segments else None
        self.layers, self.pooler = model.bert.encoder.layer, model.bert.pooler
        self.classifier = model.classifier
        self.places = nn.Buffer(torch.arange(len(positions)), persistent=False)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """From inputs of `(batch, length)` to logits, `(batch, outputs)`."""
        hidden = self.words(input_ids) + self.positions(self.places[: input_ids.shape[1]])
        if self.segments is not None:
            hidden = hidden + self.segments(token_type_ids)
        hidden = self.norm(hidden)
        hidden_from = 1.0 - attention_mask[:, None, None, :].to(hidden.dtype)
        mask = hidden_from * torch.finfo(hidden.dtype).min
        for layer in self.layers:
            hidden = layer(hidden, mask)
        logits: torch.Tensor = self.classifier(self.pooler(hidden))
        return logits
