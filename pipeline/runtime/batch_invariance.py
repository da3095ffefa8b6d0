"""Would a text get another answer if it ran in a batch, or with padding?

Dynamic int8 scales its activations over the whole batch, so other texts and padding can change an
answer. The runtime therefore runs every text alone at its exact length. This measures on unlabelled
texts that the answers served are batch-invariant, and how many answers batches would have changed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import ArtifactError
from pipeline.core.progress import track
from pipeline.problem.probabilities import Scores
from pipeline.runtime.reader import TokenRow
from pipeline.runtime.task import Request, Task
from pipeline.runtime.text_model import TextModel

MAX_FLIP_SHARE = 0.001
"""Largest share of texts whose labels a batch may change, unless texts run alone."""
BATCH_SIZE = 32
SERVED_TEXTS = 1000
"""How many of the texts are also given to the runtime in one request, as a server gets them."""


@dataclass(frozen=True)
class AnswerDifference:
    """How the answers differ from those to each text alone.

    Attributes:
        largest_change: largest absolute change of a probability, or of the number.
        flips: texts that get other labels, also as a share of all; None if the answer is a number.
    """

    largest_change: float
    flips: int | None
    flip_share: float | None

    @property
    def is_none(self) -> bool:
        return self.largest_change == 0.0 and not self.flips

    @property
    def is_small(self) -> bool:
        """Whether labels flip rarely enough; always false for numbers."""
        return self.flip_share is not None and self.flip_share <= MAX_FLIP_SHARE


@dataclass(frozen=True, kw_only=True)
class BatchComparison:
    """How the answers change when texts run together.

    Attributes:
        served_texts: how many of the texts the runtime was given in one request.
        served: the change in that request; none, since the runtime runs each text alone.
        batched: way of batching → the change it would make.
    """

    texts: int
    served_texts: int
    served: AnswerDifference
    batched: Mapping[str, AnswerDifference]

    @property
    def passed(self) -> bool:
        """Whether one request changes nothing, or every way of batching flips few labels."""
        ways = (self.served, *self.batched.values())
        return self.served.is_none or all(way.is_small for way in ways)

    def as_dict(self) -> dict[str, Any]:
        """For the certificate."""
        return {
            "passed": self.passed,
            "served": "alone" if self.served.is_none else "in batches",
            "texts": self.texts,
            "batch_size": BATCH_SIZE,
            "most_flips": MAX_FLIP_SHARE,
            "one_request": {"texts": self.served_texts, **asdict(self.served)},
            "batched": {way: asdict(change) for way, change in self.batched.items()},
        }


def measure_batch_invariance(
    model: TextModel, requests: Sequence[Request], *, pad_token_id: int, workers: int
) -> BatchComparison:
    """Answers every request alone, then in batches and with padding, and compares.

    With `threads=1` in the model the figures do not depend on `workers`.
    """
    if not requests:
        raise ArtifactError(
            "no text to compare batches with",
            expected="sentences of the corpus, or validation texts",
            next_step="run the prepare stage again",
        )
    task, scored = model.task, model.scores_of_each(requests, workers=workers)
    alone = np.stack(list(track(scored, "batches  each text alone", len(requests))))
    answers = [
        [found.value] if found.probabilities is None else [*found.probabilities.values()]
        for found in model.predict(requests[:SERVED_TEXTS])
    ]
    together = np.array(answers, dtype=np.float64)
    run = _Batches(model, requests, pad_token_id=pad_token_id, workers=workers)
    return BatchComparison(
        texts=len(requests),
        served_texts=len(together),
        served=compare_answers(task, alone[: len(together)], together),
        batched={
            way: compare_answers(task, alone, run.scores(way, batches))
            for way, batches in run.ways().items()
        },
    )


def compare_answers(task: Task, alone: Scores, others: Scores) -> AnswerDifference:
    """Compares the answers from two sets of scores, `(requests, outputs)` each."""
    if not (np.isfinite(alone).all() and np.isfinite(others).all()):
        raise ArtifactError(
            "a model that answers NaN or infinity",
            expected="finite outputs for every text, batched and padded too",
            next_step="look at what the graph computes from padded tokens",
        )
    largest = float(np.abs(alone - others).max())
    one, other = (task.kind.answers(scores, task.decision) for scores in (alone, others))
    flips = task.kind.flips(one, other)
    return AnswerDifference(largest, flips, None if flips is None else flips / len(alone))


Batches = list[tuple[list[int], int]]
"""The indices of the rows of tokens in each batch, and the length that they are padded to."""


class _Batches:
    """The requests as rows of tokens that can run in batches."""

    def __init__(
        self, model: TextModel, requests: Sequence[Request], *, pad_token_id: int, workers: int
    ) -> None:
        self._model, self._pad, self._workers = model, pad_token_id, workers
        windows = [model.read(request)[0] for request in requests]
        self._counts = [len(rows) for rows in windows]
        self._rows: list[TokenRow] = [row for rows in windows for row in rows]

    def ways(self) -> dict[str, Batches]:
        """The ways of batching: rows of equal length, of mixed length, and single padded rows."""
        lengths = [len(row.ids) for row in self._rows]
        numbers = list(range(len(lengths)))
        alike = [[i for i in numbers if lengths[i] == length] for length in sorted(set(lengths))]

        def batches(group: list[int]) -> Batches:
            parts = [group[i : i + BATCH_SIZE] for i in range(0, len(group), BATCH_SIZE)]
            return [(part, max(lengths[i] for i in part)) for part in parts]

        return {
            "equal_lengths": [batch for group in alike for batch in batches(group)],
            "mixed_lengths": batches(numbers),
            "padded": [([i], self._model.task.max_length) for i in numbers],
        }

    def scores(self, way: str, batches: Batches) -> Scores:
        """Scores of each request from the mean of its windows' outputs, `(requests, outputs)`."""

        def run(batch: tuple[list[int], int]) -> npt.NDArray[np.float32]:
            group, length = batch
            ids = np.full((len(group), length), self._pad, dtype=np.int64)
            mask, segments = np.zeros_like(ids), np.zeros_like(ids)
            for place, row in enumerate(self._rows[number] for number in group):
                ids[place, : len(row.ids)], mask[place, : len(row.ids)] = row.ids, 1
                segments[place, : len(row.ids)] = row.segments
            return self._model.outputs_together(
                ids, mask, segments if self._model.segments else None
            )

        outputs = np.empty((len(self._rows), len(self._model.task.labels)), dtype=np.float32)
        with ThreadPoolExecutor(self._workers) as pool:
            found = track(pool.map(run, batches), f"batches  {way.replace('_', ' ')}", len(batches))
            for (group, _), values in zip(batches, found, strict=True):
                outputs[group] = values
        ends = zip(np.cumsum(self._counts), self._counts, strict=True)
        # As in `TextModel`: the mean of one row is that row, at twenty times the cost.
        means = [
            outputs[end - 1] if count == 1 else np.mean(outputs[end - count : end], axis=0)
            for end, count in ends
        ]
        return self._model.task.kind.scores(np.stack(means))
