"""regression: the answer is a number, and nothing says how sure the model is of it."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.decision import Decision
from pipeline.problem.labelling import Labelling, Labels, RefusedError, number_in
from pipeline.problem.prediction import Prediction
from pipeline.problem.probabilities import Scores, Targets, Values
from pipeline.problem.problem import Problem, RowLimits, Scale, Words

_PARTS = 5
_PRECISION = 0.01


class Regression(Problem):
    """A number a text. Tables hold it as text; the target is the number."""

    name = "regression"
    metrics = ("pearson", "spearman")
    usual_metric = "pearson"
    columns = ("value",)
    transformers_name = "regression"
    agreement_metric = "spearman"
    has_probabilities = False
    words = Words(
        answer_of_a_text="a number",
        row_score="closeness",
        row_score_column="closeness",
        row_score_meaning="Closeness is 1 for the right number, and 0 on average for whoever "
        "always says the median.",
        agreement="rank correlation (Spearman)",
        constant_answer="the mean",
        answers="a number: {labels}",
        gives="a {text} a number, {labels}",
        when_unsure="the number does not show it",
        every_split="different numbers in train, validation and test",
    )

    def labels_fault(self, labels: Labels) -> str | None:
        return None if len(labels) == 1 else "one, the name of the number that regression gives"

    def read_label(self, value: str, labelling: Labelling, *, where: str) -> str:
        number = number_in(labelling.label_of(value) or "")
        if number is not None:
            return repr(number)
        raise RefusedError(
            f"{where}: the label value {value!r}",
            expected=f"a finite number, the {labelling.labels[0]} of the row, written as 4.5 "
            "(product.problem: regression)",
            next_step="write it with a point in place of the comma"
            if number_in(value.replace(",", ".", 1)) is not None
            else "correct the row, or `label_values` of the source",
        )

    def labels_in(self, label: str, labels: Labels) -> list[str]:
        return [labels[0]]

    def target(self, label: str, labels: Labels) -> list[float]:
        return [float(label)]

    def label_of(self, target: Sequence[float], labels: Labels) -> str:
        return repr(target[0])

    def merged(self, votes: Labels, *, labels: Labels, otherwise: str) -> str:
        """The median."""
        return repr(statistics.median(float(vote) for vote in votes))

    def questions(self, rows: Sequence[Labels], labels: Labels) -> list[Sequence[Sequence[Any]]]:
        return [[[float(label) for label in row] for row in rows]]

    def points(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """The numbers, so that δ² is the square of their difference."""
        numbers = np.asarray(values, dtype=np.float64)
        off = numbers - numbers.mean()  # sums of squares of large numbers would lose digits
        return np.asarray(off[:, None] / (np.abs(off).max() or 1.0))

    def check_rows(self, rows: Labels, counts: Mapping[str, int], *, limits: RowLimits) -> None:
        least = limits.min_rows_per_label
        if len(rows) < least:
            raise RefusedError(
                f"{len(rows):,} rows with a number",
                expected=f"at least {least:,} (validate.min_rows_per_label)",
                next_step="add rows, or lower the limit",
            )
        if len(set(rows)) < 2:
            raise RefusedError(
                f"every row has the same number ({rows[0]})",
                expected=f"numbers that differ: {', '.join(counts)} cannot be learned from one",
                next_step="check label_column of the labelled sources",
            )

    def split_fault(self, targets: Sequence[Sequence[float]], labels: Labels) -> str | None:
        return None if len({number for (number,) in targets}) > 1 else "has one number only"

    def spread(self, rows: Labels) -> dict[str, Any] | None:
        numbers = [float(label or "nan") for label in rows]
        return {
            "least": min(numbers),
            "median": statistics.median(numbers),
            "mean": statistics.fmean(numbers),
            "most": max(numbers),
            "different": len(set(numbers)),
        }

    def can_learn(self, targets: Targets, *, labels: int) -> bool:
        return len(np.unique(targets)) >= 2

    def scale(self, targets: Targets) -> Scale | None:
        return Scale(float(targets.mean()), float(targets.std()) or 1.0)

    def number_range(self, targets: Targets) -> tuple[float, float] | None:
        return float(targets.min()), float(targets.max())

    def scores(self, logits: NDArray[np.floating]) -> Scores:
        """The number."""
        return logits.astype(np.float64)

    def answers(self, scores: Scores, decision: Decision) -> Values:
        return scores[:, 0]

    def prediction(
        self, scores: Scores, *, labels: Labels, decision: Decision, truncated: bool
    ) -> Prediction:
        return Prediction(value=float(scores[0, 0]), truncated=truncated)

    def teacher_confidence(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """1 for every row: a number says nothing of how sure it is."""
        return np.ones(len(logits), dtype=np.float32)

    def gold(self, targets: Targets) -> Values:
        return targets[:, 0]

    def row_scores(self, gold: Values, answers: Values) -> NDArray[np.float64]:
        """Closeness: 1 − |found − gold| / d, where d is the mean distance of gold from its median.

        Its mean over all rows is 0 for a model that always gives the median, and 1 for one that is
        always right.
        """
        distance = float(np.mean(np.abs(gold - np.median(gold)))) or 1.0
        return np.asarray(1 - np.abs(answers - gold) / distance, dtype=np.float64)

    def tolerance_unit(self, targets: Targets) -> float:
        """The spread of the numbers.

        At least a hundred times what float32 can tell apart at the size of the numbers.
        """
        return max(float(np.std(targets)), _PRECISION * float(np.abs(targets).max())) or 1.0

    def confusion(self, gold: Values, answers: Values, labels: Labels) -> Iterator[tuple[str, str]]:
        """The fifth of gold's range that each number lies in."""
        yield from zip(_fifths(gold, gold), _fifths(answers, gold), strict=True)

    def flips(self, answers: Values, others: Values) -> int | None:
        return None


def _fifths(values: Values, gold: Values) -> list[str]:
    edges = np.linspace(gold.min(), gold.max(), _PARTS + 1)
    names = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    return [names[i] for i in np.clip(np.digitize(values, edges[1:-1]), 0, _PARTS - 1)]
