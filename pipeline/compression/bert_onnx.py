"""A BERT classifier as a graph needs it: nothing is computed that no input can change.

transformers makes its masks for every kind of attention, and looks up a segment for every token, though all
are the same. In a graph that is some forty small operators: a twelfth of the time that a student of two layers
takes for a short text. Here the mask is one row a text, the only segment is added to the positions beforehand, and
positions that no text reaches are left out. The answers are the same.
"""

import torch
from torch import nn
from transformers import BertForSequenceClassification


class FoldedBert(nn.Module):
    """`model` with positional inputs and one tensor out. Shares its weights.

    Args:
        model: with eager attention, in evaluation mode.
        segments: whether the inputs tell the texts of a pair apart.
        max_length: the most tokens of a text; None keeps all positions that the model has.
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
        """`(batch, length)` each, to logits `(batch, outputs)`."""
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
