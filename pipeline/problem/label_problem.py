"""Base class of problems whose answers are labels with probabilities."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.decision import HALF
from pipeline.problem.labelling import Labels, RefusedError
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem, RowLimits, Thresholds


class LabelProblem(Problem):
    """A problem whose answers are labels, each with a probability."""

    def check_rows(self, rows: Labels, counts: Mapping[str, int], *, limits: RowLimits) -> None:
        shown = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
        rarest = min(counts, key=lambda label: counts[label])
        if counts[rarest] < limits.min_rows_per_label:
            raise RefusedError(
                f"label {rarest!r} has {counts[rarest]:,} rows ({shown})",
                expected=f"at least {limits.min_rows_per_label:,} (validate.min_rows_per_label)",
                next_step=f"add rows of {rarest!r}, or take it out of product.labels",
            )
        commonest = max(counts, key=lambda label: counts[label])
        share = counts[commonest] / len(rows)
        if share > limits.max_label_share:
            raise RefusedError(
                f"label {commonest!r} holds {share:.1%} of the rows ({shown})",
                expected=f"at most {limits.max_label_share:.0%} (validate.max_label_share)",
                next_step="add rows of the other labels",
            )

    def split_fault(self, targets: Sequence[Sequence[float]], labels: Labels) -> str | None:
        found = self.occurring(np.array(targets, dtype=np.float64))
        missing = [label for number, label in enumerate(labels) if number not in found]
        return f"lacks {', '.join(missing)}" if missing else None

    def can_learn(self, targets: Targets, *, labels: int) -> bool:
        return len(self.occurring(targets)) >= labels

    @abstractmethod
    def occurring(self, targets: Targets) -> NDArray[Any]:
        """The numbers of the labels that any row has, `(labels that occur,)`."""

    def even_thresholds(self, labels: int) -> Thresholds:
        return (HALF,) * labels

    def move_threshold(self, thresholds: Thresholds, label: int, factor: float) -> Thresholds:
        odds = thresholds[label] / (1 - thresholds[label]) * factor
        return (*thresholds[:label], odds / (1 + odds), *thresholds[label + 1 :])


def reordered_columns(columns: Scores, *, own: Labels, labels: Labels) -> Scores:
    """Columns in the order of `labels`; 0 for a label that is not in `own`."""
    return np.stack(
        [columns[:, own.index(name)] if name in own else np.zeros(len(columns)) for name in labels],
        axis=1,
    )
