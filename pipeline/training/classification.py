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
        segments: for each token 0, or 1 in the second of two texts; None where the model has no such thing.
    """

    ids: list[list[int]]
    lengths: NDArray[np.int64]
    pad_token_id: int
    segments: list[list[int]] | None = None

    def batch(self, rows: Ids, device: torch.device) -> dict[str, torch.Tensor]:
        """What the model reads of the named rows, `(batch, longest)` each."""
        ids, mask = pad([self.ids[r] for r in rows], pad_token_id=self.pad_token_id)
        named = {"input_ids": ids, "attention_mask": mask}
        if self.segments is not None:
            named["token_type_ids"], _ = pad([self.segments[r] for r in rows], pad_token_id=0)
        return {name: torch.from_numpy(values).to(device) for name, values in named.items()}

    def tokens(self, rows: Ids) -> int:
        """Tokens of the named rows, without padding."""
        return int(self.lengths[rows].sum())


def tokenize(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    seconds: Sequence[str] = (),
    segments: bool = False,
) -> TokenRows:
    """Token ids of each text, or of each pair, cut at `max_length`.

    Args:
        seconds: the second text of each pair; empty where there are no pairs.
        segments: whether the model tells the two texts of a pair apart by segment.
    """
    pairs = (list(seconds),) if len(seconds) else ()
    encoded: dict[str, Any] = dict(
        tokenizer(
            list(texts),
            *pairs,
            truncation=True,
            max_length=max_length,
            return_token_type_ids=segments,
        )
    )
    ids: list[list[int]] = encoded["input_ids"]
    kinds: list[list[int]] | None = encoded["token_type_ids"] if segments else None
    return TokenRows(ids, lengths_of(ids), int(tokenizer.pad_token_id), kinds)


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


class Regression:
    """Squared error of the model's one output."""

    def __init__(self, rows: TokenRows, targets: NDArray[np.float64]) -> None:
        self._rows, self._targets = rows, torch.from_numpy(targets.astype(np.float32))

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch."""
        outputs = model(**self._rows.batch(rows, device)).logits[:, 0]
        return functional.mse_loss(outputs.float(), self._targets[rows].to(device))


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
