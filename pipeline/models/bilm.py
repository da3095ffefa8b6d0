"""A bidirectional language model after ELMo (Peters et al. 2018): LSTMs that read both ways.

Two stacks of LSTMs with projection read a text from the left and from the right, with a residual
from layer to layer. Both directions share one embedding table and one softmax; with subword input
the embeddings are the softmax's weights (Inan et al. 2017). Regularised like AWD-LSTM (Merity et
al. 2018): recurrent weights are dropped, one dropout mask holds for all steps of a text, and whole
tokens are dropped from the embeddings.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel

from pipeline.models.characters import CharacterEmbedding
from pipeline.models.lstm import LSTMLayer


class BilmConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers has no types
    """Shape of the model; saved as `config.json`.

    Args:
        hidden_size: width of embeddings and projections; both directions joined are twice as wide.
        intermediate_size: cells of each LSTM.
        input: `subword` looks embeddings up; `characters` computes them from the tokens' bytes.
        dropout: of a layer's inputs and outputs, the same at every step of a text.
        embedding_dropout: share of the vocabulary that is zero in a batch.
        weight_drop: share of the recurrent weights that are dropped in a batch.
    """

    model_type = "bilm"

    def __init__(
        self,
        *,
        vocab_size: int = 1,
        hidden_size: int = 1,
        intermediate_size: int = 1,
        num_hidden_layers: int = 2,
        input: str = "subword",
        dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        weight_drop: float = 0.0,
        classifier_dropout: float = 0.0,
        initializer_range: float = 0.05,
        **others: object,
    ) -> None:
        self.vocab_size, self.hidden_size = vocab_size, hidden_size
        self.intermediate_size, self.num_hidden_layers = intermediate_size, num_hidden_layers
        self.input, self.dropout = input, dropout
        self.embedding_dropout, self.weight_drop = embedding_dropout, weight_drop
        self.classifier_dropout, self.initializer_range = classifier_dropout, initializer_range
        super().__init__(**others)


@dataclass(frozen=True)
class Layers:
    """The states of every layer for every token.

    Attributes:
        forward: embeddings, then each layer's states, left to right: `(batch, length, hidden_size)`
            each.
        backward: the same, right to left, at the token's own position.
    """

    forward: list[torch.Tensor]
    backward: list[torch.Tensor]

    def joined(self) -> list[torch.Tensor]:
        """Both directions side by side, `(batch, length, 2 · hidden_size)` each."""
        pairs = zip(self.forward, self.backward, strict=True)
        return [torch.cat(pair, dim=-1) for pair in pairs]


class BilmPreTrained(PreTrainedModel):  # type: ignore[misc]
    """The config class and the initial weights, which transformers asks for, and the dropout."""

    config_class = BilmConfig
    base_model_prefix = "bilm"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, LSTMLayer):
            module.reset()
        elif isinstance(module, nn.Embedding | nn.Linear | nn.Conv1d):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
            if isinstance(bias := getattr(module, "bias", None), torch.Tensor):
                nn.init.zeros_(bias)

    def drop(self, states: torch.Tensor) -> torch.Tensor:
        """Dropout of the same units at all steps, dimension 1 (Gal and Ghahramani 2016)."""
        share = self.config.dropout if self.training else 0.0
        if not share:
            return states
        shape = (states.shape[0], 1, *states.shape[2:])
        return states * (states.new_empty(shape).bernoulli_(1 - share) / (1 - share))


class Bilm(BilmPreTrained):
    """Embeddings and both stacks of LSTMs."""

    def __init__(self, config: BilmConfig) -> None:
        super().__init__(config)
        self.embeddings: nn.Module = (
            CharacterEmbedding(config.vocab_size, config.hidden_size)
            if config.input == "characters"
            else nn.Embedding(config.vocab_size, config.hidden_size)
        )
        self.layers = nn.ModuleList(
            LSTMLayer(config.hidden_size, config.intermediate_size, directions=2)
            for _ in range(config.num_hidden_layers)
        )
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> Layers:
        """The states of every layer, in both directions.

        Args:
            input_ids: `(batch, length)`.
            attention_mask: 1 for text, 0 for the padding after it; None where there is none.
        """
        embedded = self._embed(input_ids)
        lengths = None if attention_mask is None else attention_mask.sum(dim=1)
        # Both directions in one tensor, steps before rows: `(2, length, batch, hidden_size)`.
        both = torch.stack([embedded, reverse_rows(embedded, lengths)]).transpose(1, 2)
        states = [both]
        for number, layer in enumerate(self.layers):
            below = self.drop(states[-1])
            state = layer(below, weight_drop=self.config.weight_drop)
            states.append(state + below if number else state)
        forward, backward = zip(*(state.transpose(1, 2) for state in states), strict=True)
        return Layers([*forward], [reverse_rows(state, lengths) for state in backward])

    def _embed(self, input_ids: torch.Tensor) -> torch.Tensor:
        embedded: torch.Tensor = self.embeddings(input_ids)
        if not (self.training and self.config.embedding_dropout):
            return embedded
        keep = torch.rand(self.config.vocab_size, device=embedded.device)
        kept = (keep >= self.config.embedding_dropout).to(embedded.dtype)
        factors: torch.Tensor = kept / (1 - self.config.embedding_dropout)
        return embedded * factors[input_ids].unsqueeze(-1)


class BilmForLanguageModelling(BilmPreTrained):
    """Predicts the next token from the left, and the previous one from the right."""

    def __init__(self, config: BilmConfig) -> None:
        super().__init__(config)
        self.bilm = Bilm(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        if config.input == "characters":
            self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def scores(self, states: torch.Tensor) -> torch.Tensor:
        """The logits of all tokens, from `(…, hidden_size)` to `(…, vocab_size)`."""
        return functional.linear(states, *self.output_layer())

    def output_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weight, `(vocab_size, hidden_size)`, and the bias of the softmax."""
        owner: Any = self.decoder if self.config.input == "characters" else self.bilm.embeddings
        return owner.weight, self.bias

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits of the next and of the previous token, both `(batch, length, vocab_size)`."""
        layers = self.bilm(input_ids, attention_mask)
        return self.scores(layers.forward[-1]), self.scores(layers.backward[-1])


def reverse_rows(states: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Reverses the tokens of each row; its padding stays at the end.

    Args:
        states: `(batch, length, hidden)`.
        lengths: tokens of each row, `(batch,)`; None if no row has padding.
    """
    if lengths is None:
        return states.flip(1)
    places = torch.arange(states.shape[1], device=states.device).unsqueeze(0)
    turned = lengths.unsqueeze(1) - 1 - places
    index = torch.where(turned < 0, places, turned)
    return states.gather(1, index.unsqueeze(-1).expand(-1, -1, states.shape[2]))
