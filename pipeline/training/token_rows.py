"""Texts as token ids, in the rows that training and prediction take their batches from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from pipeline.text.batching import Ids, lengths_of, pad
from pipeline.training.windows import cut_windows

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class TokenRows:
    """Tokenized texts. A row is a text or a pair or, where long texts are cut, one window of it.

    Attributes:
        ids: token ids of each row, special tokens included.
        lengths: tokens of each row, `(rows,)`.
        segments: for each token 0, or 1 in the second text of a pair; None for models without
            segments.
        documents: the number of the text that each row is a window of, `(rows,)`, in order; None
            where every row is a whole text.
    """

    ids: list[list[int]]
    lengths: NDArray[np.int64]
    pad_token_id: int
    segments: list[list[int]] | None = None
    documents: NDArray[np.int64] | None = None

    def batch(self, rows: Ids, device: torch.device) -> dict[str, torch.Tensor]:
        """The model's inputs for these rows, padded to the longest, `(batch, longest)` each."""
        ids, mask = pad([self.ids[r] for r in rows], pad_token_id=self.pad_token_id)
        named = {"input_ids": ids, "attention_mask": mask}
        if self.segments is not None:
            named["token_type_ids"], _ = pad([self.segments[r] for r in rows], pad_token_id=0)
        return {name: torch.from_numpy(values).to(device) for name, values in named.items()}

    def tokens(self, rows: Ids) -> int:
        """The number of tokens in these rows, without padding."""
        return int(self.lengths[rows].sum())

    def of_rows(self, values: NDArray[Number]) -> NDArray[Number]:
        """Values of the texts, `(texts, …)`, repeated for each row of a text, `(rows, …)`."""
        return values if self.documents is None else values[self.documents]

    def names(self, ids: Sequence[str]) -> list[str]:
        """The id of each row's text, given the ids of the texts."""
        return list(ids) if self.documents is None else [ids[text] for text in self.documents]

    def of_texts(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of the rows, `(rows, …)`, averaged over the rows of each text, `(texts, …)`."""
        if self.documents is None:
            return values
        _, starts, counts = np.unique(self.documents, return_index=True, return_counts=True)
        sums = np.add.reduceat(values, starts, axis=0)
        counts = counts.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(sums / counts, dtype=np.float32)


def tokenize(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    seconds: Sequence[str] = (),
    segments: bool = False,
    window_stride: int | None = None,
) -> TokenRows:
    """Tokenizes texts or pairs.

    Args:
        max_length: the most tokens of a row, special ones included.
        seconds: the second text of each pair; empty where there are no pairs.
        segments: whether the model tells the two texts of a pair apart by segment ids.
        window_stride: ordinary tokens from the start of one window of a long text to the next;
            None cuts long texts off instead.
    """
    documents = None
    if window_stride is not None:
        ids, kinds, numbers = cut_windows(
            tokenizer, texts, seconds=seconds, max_length=max_length, stride=window_stride
        )
        documents = np.array(numbers, dtype=np.int64)
    else:
        pairs = (list(seconds),) if len(seconds) else ()
        options = {"truncation": True, "max_length": max_length, "return_token_type_ids": segments}
        encoded: Any = tokenizer(list(texts), *pairs, **options)
        ids, kinds = encoded["input_ids"], encoded.get("token_type_ids")
    return TokenRows(
        ids,
        lengths_of(ids),
        pad_token_id=int(tokenizer.pad_token_id),
        segments=kinds if segments else None,
        documents=documents,
    )
