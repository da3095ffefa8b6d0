"""Masked language modelling (Devlin et al. 2019): the objective of `pretrain`.

The vocabulary head is the most expensive part of a small model, so it runs on masked positions
only. Words of several tokens are masked as a whole, as in the authors' later checkpoints, because
the rest of a word makes its missing token too easy to guess.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.text.batching import Ids
from pipeline.text.packing import PackedRows

_REPLACED_BY_MASK, _REPLACED_BY_RANDOM = 0.8, 0.1
_ROUNDED_TO = 64
"""The head's rows are padded to a multiple of this: oneDNN compiles and keeps a program for each
new number of rows, which takes hundreds of megabytes in a long training."""
_NO_TARGET = -100


class MaskedLanguageModelling:
    """The loss of predicting masked tokens in packed rows.

    Args:
        first_token_id: replaces the first token of each row, as downstream texts start with it
            ([CLS]).
        ordinary_from: ids below it are special tokens, which are neither masked nor drawn as
            replacements.
        starts_word: whether each token of the vocabulary starts a word, `(vocabulary,)`; None masks
            each token by itself.
    """

    def __init__(
        self,
        packed: PackedRows,
        *,
        mask_share: float,
        first_token_id: int,
        mask_token_id: int,
        ordinary_from: int,
        vocabulary_size: int,
        starts_word: NDArray[np.bool_] | None = None,
    ) -> None:
        self._packed, self._mask_share = packed, mask_share
        self._first, self._mask = first_token_id, mask_token_id
        self._ordinary_from, self._vocabulary = ordinary_from, vocabulary_size
        self._starts = None if starts_word is None else torch.from_numpy(starts_word)

    def tokens(self, rows: Ids) -> int:
        """Packed rows have no padding."""
        return len(rows) * self._packed.length

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean cross-entropy over the masked positions of the batch, nats."""
        ids = torch.from_numpy(self._packed.read(rows)).to(device)
        ids[:, 0] = self._first
        inputs, hidden = self._hide(ids)
        states, targets = model.bert(input_ids=inputs).last_hidden_state[hidden], ids[hidden]  # type: ignore[operator]
        filling = -len(targets) % _ROUNDED_TO
        logits = model.cls(functional.pad(states, (0, 0, 0, filling)))  # type: ignore[operator]
        targets = functional.pad(targets, (0, filling), value=_NO_TARGET)
        return functional.cross_entropy(logits.float(), targets, ignore_index=_NO_TARGET)

    def _hide(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The inputs with some tokens replaced, and where, both `(batch, length)`."""
        chance = torch.rand(ids.shape).to(ids.device)
        if self._starts is not None:
            chance = chance.gather(1, self._words(ids))
        ordinary = ids >= self._ordinary_from
        hidden = (chance < self._mask_share) & ordinary
        if not hidden.any():  # possible in a few short rows; a mean over nothing would be NaN
            least = chance.masked_fill(~ordinary, 1.0).amin()
            hidden = (chance <= least) & ordinary
        kind = torch.rand(ids.shape).to(ids.device)
        noise = torch.randint(self._ordinary_from, self._vocabulary, ids.shape).to(ids.device)
        masked = hidden & (kind < _REPLACED_BY_MASK)
        random = hidden & (kind >= 1 - _REPLACED_BY_RANDOM)
        inputs = torch.where(masked, torch.full_like(ids, self._mask), ids)
        return torch.where(random, noise, inputs), hidden

    def _words(self, ids: torch.Tensor) -> torch.Tensor:
        """The number of each token's word, from 0 in each row, `(batch, length)`."""
        starts = self._starts.to(ids.device)[ids]  # type: ignore[union-attr]
        special = ids < self._ordinary_from
        starts |= special
        # A token after a special one starts a word, whatever it looks like.
        starts[:, 1:] |= special[:, :-1]
        starts[:, 0] = False
        return starts.long().cumsum(dim=1)
