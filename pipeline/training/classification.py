"""Classifying texts: the rows, the objective of `finetune`, and logits of a trained model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from pipeline.core.params import Compute
from pipeline.core.progress import Progress
from pipeline.text.batching import Ids, lengths_of, pad, sorted_batches
from pipeline.training.device import autocast, prepare_device


@dataclass(frozen=True)
class TokenRows:
    """Tokenized texts.

    Attributes:
        ids: token ids of each text, special tokens included.
        lengths: tokens of each text, `(rows,)`.
    """

    ids: list[list[int]]
    lengths: NDArray[np.int64]
    pad_token_id: int

    def batch(self, rows: Ids, device: torch.device) -> dict[str, torch.Tensor]:
        """`input_ids` and `attention_mask`, `(batch, longest)`, of the named rows."""
        ids, mask = pad([self.ids[r] for r in rows], pad_token_id=self.pad_token_id)
        return {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }

    def tokens(self, rows: Ids) -> int:
        """Tokens of the named rows, without padding."""
        return int(self.lengths[rows].sum())


def tokenize(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, max_length: int
) -> TokenRows:
    """Token ids of each text, cut at `max_length`."""
    encoded: dict[str, Any] = dict(tokenizer(list(texts), truncation=True, max_length=max_length))
    ids: list[list[int]] = encoded["input_ids"]
    return TokenRows(ids, lengths_of(ids), int(tokenizer.pad_token_id))


class Classification:
    """Cross-entropy with the gold label."""

    def __init__(self, rows: TokenRows, label_ids: NDArray[np.int64]) -> None:
        self._rows, self._labels = rows, torch.from_numpy(label_ids)

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch, nats."""
        logits = model(**self._rows.batch(rows, device)).logits
        return functional.cross_entropy(logits.float(), self._labels[rows].to(device))


def predict_logits(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
) -> NDArray[np.float32]:
    """Logits of every row, `(rows, labels)`, in the order of the rows.

    Args:
        task: name under which progress is shown; None works silently.
    """
    device = prepare_device(compute)
    model.to(device).eval()
    total = int(rows.lengths.sum())
    progress = Progress(task, total) if task else None
    parts: list[tuple[Ids, NDArray[np.float32]]] = []
    done = 0
    with torch.inference_mode(), autocast(compute, device):
        for batch in sorted_batches(rows.lengths, batch_size=batch_size):
            logits = model(**rows.batch(batch, device)).logits.float().cpu().numpy()
            parts.append((batch, logits))
            done += rows.tokens(batch)
            if progress:
                progress.update(done, unit="tokens")
    order = np.concatenate([batch for batch, _ in parts])
    return np.concatenate([logits for _, logits in parts])[np.argsort(order)]


def accuracy_of(logits: NDArray[np.float32], label_ids: NDArray[np.int64]) -> float:
    """Share of rows whose largest logit is the gold label's."""
    return float(np.mean(logits.argmax(axis=1) == label_ids))
