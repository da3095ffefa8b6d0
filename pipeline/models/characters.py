"""Token embeddings computed from bytes (Peters et al. 2018; Kim et al. 2016).

Convolutions of several widths run over a token's bytes, each filter keeps its maximum, two highway
layers (Srivastava et al. 2015) mix them, and a projection maps them to the model's width. A token's
bytes never change, so the exported model has one precomputed table instead.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

LONGEST = 24
"""The most bytes of a token that are read."""

_BYTES, _BEGIN, _END, _PAD, _SPECIAL = 256, 256, 257, 258, 259
_SYMBOLS = 260
_SIZE = 16
_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 128))
_HIGHWAYS = 2
_CHUNK = 2048


def spelling(tokens: Sequence[bytes | None]) -> torch.Tensor:
    """The symbols of each token, `(tokens, LONGEST + 2)`; a special token is None."""
    rows = torch.full((len(tokens), LONGEST + 2), _PAD, dtype=torch.int32)
    for number, token in enumerate(tokens):
        inner = [_SPECIAL, number % _BYTES] if token is None else list(token[:LONGEST])
        symbols = [_BEGIN, *inner, _END]
        rows[number, : len(symbols)] = torch.tensor(symbols, dtype=torch.int32)
    return rows


class CharacterEmbedding(nn.Module):
    """From token ids, `(…)`, to embeddings, `(…, size)`, computed from the tokens' bytes."""

    symbols: torch.Tensor

    def __init__(self, vocabulary_size: int, size: int) -> None:
        super().__init__()
        empty = torch.zeros(vocabulary_size, LONGEST + 2, dtype=torch.int32)
        self.register_buffer("symbols", empty)
        self.letters = nn.Embedding(_SYMBOLS, _SIZE)
        self.filters = nn.ModuleList(nn.Conv1d(_SIZE, count, width) for width, count in _FILTERS)
        width = sum(count for _, count in _FILTERS)
        self.highways = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(_HIGHWAYS))
        self.projection = nn.Linear(width, size)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Computes the embedding of each distinct token of a batch once."""
        unique, places = torch.unique(ids, return_inverse=True)
        return self._spell(unique)[places]

    def table(self) -> torch.Tensor:
        """The embeddings of all tokens, `(vocabulary, size)`."""
        numbers = torch.arange(len(self.symbols), device=self.symbols.device)
        return torch.cat([self._spell(part) for part in torch.split(numbers, _CHUNK)])

    def _spell(self, ids: torch.Tensor) -> torch.Tensor:
        letters = self.letters(self.symbols[ids].long()).transpose(1, 2)
        found = [functional.relu(convolve(letters).amax(dim=2)) for convolve in self.filters]
        mixed = torch.cat(found, dim=1)
        for highway in self.highways:
            change, gate = highway(mixed).chunk(2, dim=1)
            # A negative start of the gate lets most of the input through, as in the paper.
            carry = torch.sigmoid(gate - 2.0)
            mixed = carry * functional.relu(change) + (1 - carry) * mixed
        spelled: torch.Tensor = self.projection(mixed)
        return spelled
