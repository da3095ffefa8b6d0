"""Rows of tokens, what a head over an encoder can learn of them, and the outputs of a trained model."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from pipeline.core.params import Compute
from pipeline.core.product import REGRESSION
from pipeline.core.progress import Progress
from pipeline.models.features import features_read, layer_means
from pipeline.text.batching import Ids, lengths_of, pad, sorted_batches
from pipeline.training.device import autocast, prepare_device
from pipeline.training.windows import cut_windows

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class TokenRows:
    """Tokenized texts.

    Attributes:
        ids: token ids of each text, special tokens included.
        lengths: tokens of each text, `(rows,)`.
        segments: for each token 0, or 1 in the second of two texts; None where the model has no such thing.
        documents: number of the text that each row is a window of, `(rows,)`, in order; None where
            each row is a text.
    """

    ids: list[list[int]]
    lengths: NDArray[np.int64]
    pad_token_id: int
    segments: list[list[int]] | None = None
    documents: NDArray[np.int64] | None = None

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

    def of_rows(self, values: NDArray[Number]) -> NDArray[Number]:
        """Values of the texts, `(texts, …)`, as values of the rows, `(rows, …)`."""
        return values if self.documents is None else values[self.documents]

    def names(self, ids: Sequence[str]) -> list[str]:
        """Ids of the texts as those of the rows; windows of one text share its id."""
        return list(ids) if self.documents is None else [ids[text] for text in self.documents]

    def of_texts(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of the rows, `(rows, …)`, averaged over the windows of each text, `(texts, …)`."""
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
    """Token ids of each text, or of each pair, cut at `max_length` or into windows.

    Args:
        seconds: the second text of each pair; empty where there are no pairs.
        segments: whether the model tells the two texts of a pair apart by segment.
        window_stride: ordinary tokens from one window of a long text to the next; None cuts it.
    """
    if window_stride is not None:
        windows = cut_windows(
            tokenizer, texts, seconds=seconds, max_length=max_length, stride=window_stride
        )
        return TokenRows(
            windows.ids,
            lengths_of(windows.ids),
            int(tokenizer.pad_token_id),
            windows.segments if segments else None,
            np.array(windows.documents, dtype=np.int64),
        )
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
    """Cross-entropy with the gold label.

    Args:
        weights: of each label, `(labels,)`; None where all weigh the same.
    """

    def __init__(
        self,
        rows: TokenRows,
        label_ids: NDArray[np.int64],
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self._rows, self._labels = rows, torch.from_numpy(label_ids)
        self._weights = _float_tensor(weights)

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch, nats."""
        logits = model(**self._rows.batch(rows, device)).logits
        weights = None if self._weights is None else self._weights.to(device)
        return functional.cross_entropy(
            logits.float(), self._labels[rows].to(device), weight=weights
        )


class MultiLabel:
    """Binary cross-entropy of each label.

    Args:
        targets: 1 for each label that holds, else 0, `(rows, labels)`.
        weights: of a row that has the label, where one that lacks it weighs 1, `(labels,)`.
    """

    def __init__(
        self,
        rows: TokenRows,
        targets: NDArray[np.float64],
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self._rows, self._targets = rows, torch.from_numpy(targets.astype(np.float32))
        self._weights = _float_tensor(weights)

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over the batch and the labels, nats."""
        logits = model(**self._rows.batch(rows, device)).logits
        weights = None if self._weights is None else self._weights.to(device)
        return functional.binary_cross_entropy_with_logits(
            logits.float(), self._targets[rows].to(device), pos_weight=weights
        )


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


@dataclass(frozen=True)
class Outputs:
    """What a model says of each text, in their order: the mean over a long text's windows.

    Attributes:
        logits: `(texts, outputs)`.
        features: what the last linear layer read, then the mean states after the layers that were asked for,
            `(texts, 1 + layers, width)`.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float16]


def predict_logits(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
) -> NDArray[np.float32]:
    """The logits of `predict`, `(texts, outputs)`."""
    return predict(model, rows, compute=compute, batch_size=batch_size, task=task).logits


def predict(
    model: torch.nn.Module,
    rows: TokenRows,
    *,
    compute: Compute,
    batch_size: int,
    task: str | None = None,
    layers: Sequence[int] = (),
) -> Outputs:
    """The model's outputs on every text.

    Numbers come in float32 whatever `compute.precision` says: bfloat16 tells 2,001 from 2,005 no more.

    Args:
        task: name under which progress is shown; None works silently.
        layers: after which the mean state is wanted too, 1 the lowest, the last one not among them.
    """
    device = prepare_device(compute)
    model.to(device).eval()
    total = int(rows.lengths.sum())
    progress = Progress(task, total) if task else None
    order: list[Ids] = []
    parts: list[NDArray[np.float32]] = []
    features: list[NDArray[np.float16]] = []
    done = 0
    with (
        torch.inference_mode(),
        _arithmetic(model, compute, device),
        features_read(model) as read,
    ):
        for batch in sorted_batches(rows.lengths, batch_size=batch_size):
            given = rows.batch(batch, device)
            with layer_means(model, layers, given["attention_mask"]) as means:
                parts.append(model(**given).logits.float().cpu().numpy())
            found = torch.stack([read.pop().float(), *means], dim=1)
            features.append(found.cpu().to(torch.float16).numpy())
            order.append(batch)
            done += rows.tokens(batch)
            if progress:
                progress.update(done, unit="tokens")
    places = np.argsort(np.concatenate(order))
    return Outputs(
        rows.of_texts(np.concatenate(parts)[places]),
        rows.of_texts(np.concatenate(features)[places].astype(np.float32)).astype(np.float16),
    )


def _arithmetic(
    model: torch.nn.Module, compute: Compute, device: torch.device
) -> AbstractContextManager[None]:
    gives_numbers = getattr(getattr(model, "config", None), "problem_type", None) == REGRESSION
    return nullcontext() if gives_numbers else autocast(compute, device)


def _float_tensor(values: NDArray[np.float64] | None) -> torch.Tensor | None:
    return None if values is None else torch.from_numpy(values.astype(np.float32))


def accuracy_of(logits: NDArray[np.float32], label_ids: NDArray[np.int64]) -> float:
    """Share of rows whose largest logit is the gold label's."""
    return float(np.mean(logits.argmax(axis=1) == label_ids))
