"""Masked language modelling (Devlin et al. 2019): the objective of `pretrain`.

The vocabulary head is the dearest part of a small model, so it runs on masked positions only.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.text.batching import Ids

_REPLACED_BY_MASK, _REPLACED_BY_RANDOM = 0.8, 0.1


class MaskedLanguageModelling:
    """Loss of predicting hidden tokens in packed rows of one stream of tokens.

    Args:
        stream: token ids of all documents, joined, `(tokens,)`; may be memory-mapped.
        first_token_id: put in place of the first token of each row, as downstream texts begin ([CLS]).
        ordinary_from: ids below it are special tokens: neither hidden nor drawn as replacement.
    """

    def __init__(
        self,
        stream: NDArray[Any],
        *,
        sequence_length: int,
        mask_share: float,
        first_token_id: int,
        mask_token_id: int,
        ordinary_from: int,
        vocabulary_size: int,
    ) -> None:
        self._stream, self._length, self._mask_share = stream, sequence_length, mask_share
        self._first, self._mask = first_token_id, mask_token_id
        self._ordinary_from, self._vocabulary = ordinary_from, vocabulary_size

    @property
    def rows(self) -> int:
        """Whole rows in the stream."""
        return len(self._stream) // self._length

    def tokens(self, rows: Ids) -> int:
        """Packed rows have no padding."""
        return len(rows) * self._length

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean cross-entropy over the hidden positions of `(batch, sequence_length)` tokens, nats."""
        ids = self._read(rows).to(device)
        inputs, hidden = self._hide(ids)
        states = model.bert(input_ids=inputs).last_hidden_state[hidden]  # type: ignore[operator]
        logits = model.cls(states)  # type: ignore[operator]
        return functional.cross_entropy(logits.float(), ids[hidden])

    def _read(self, rows: Ids) -> torch.Tensor:
        batch = np.stack([self._stream[r * self._length : (r + 1) * self._length] for r in rows])
        ids = torch.from_numpy(batch.astype(np.int64))
        ids[:, 0] = self._first
        return ids

    def _hide(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs with a share of ordinary tokens replaced, and where: both `(batch, length)`."""
        chance = torch.rand(ids.shape).to(ids.device)
        hidden = (chance < self._mask_share) & (ids >= self._ordinary_from)
        kind = torch.rand(ids.shape).to(ids.device)
        noise = torch.randint(self._ordinary_from, self._vocabulary, ids.shape).to(ids.device)
        masked = hidden & (kind < _REPLACED_BY_MASK)
        random = hidden & (kind >= 1 - _REPLACED_BY_RANDOM)
        inputs = torch.where(masked, torch.full_like(ids, self._mask), ids)
        return torch.where(random, noise, inputs), hidden


def heldout_loss(
    model: torch.nn.Module, objective: MaskedLanguageModelling, *, device: torch.device, rows: int
) -> float:
    """Mean loss over the first `rows` held-out rows under fixed masks, nats a hidden token."""
    model.eval()
    state = torch.get_rng_state()
    torch.manual_seed(0)
    with torch.inference_mode():
        losses = [
            float(objective.loss(model, np.arange(start, min(start + 32, rows)), device))
            for start in range(0, rows, 32)
        ]
    torch.set_rng_state(state)
    return float(np.mean(losses))
