"""classification: each text has one label.

Without thresholds the answer is the likeliest label. With thresholds, which sum to 1, it is the
label whose probability is the largest multiple of its threshold; for two labels, the second from
its threshold on. Confidence is the likeliest label's probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.decision import Decision
from pipeline.problem.label_problem import LabelProblem, reordered_columns
from pipeline.problem.labelling import Labelling, Labels, RefusedError, split_cell
from pipeline.problem.prediction import Prediction
from pipeline.problem.probabilities import Mask, Scores, Targets, Values, log_clipped, softmax
from pipeline.problem.problem import RowLimits, Thresholds, Words, majority

_COMMON_SEPARATORS = ("|", ";", ",", "/", "+")


class Classification(LabelProblem):
    """One label a text. Tables hold the label; the target is its number in `product.labels`."""

    name = "classification"
    metrics = ("accuracy", "macro_f1", "matthews")
    usual_metric = "macro_f1"  # each label counts alike, however rare it is
    columns = ("label", "probability", "probabilities")
    transformers_name = "single_label_classification"
    words = Words(
        answer_of_a_text="one label a text",
        row_score="accuracy",
        row_score_column="accuracy",
        agreement="share of equal labels",
        constant_answer="the majority class",
        answers="one of {labels}",
        gives="one of {count} labels to a {text}, with a probability for each",
        when_unsure="a probability near the middle is a sign of that, not a proof",
    )

    def labels_fault(self, labels: Labels) -> str | None:
        return "at least two, for a text has one of them" if len(labels) < 2 else None

    def read_label(self, value: str, labelling: Labelling, *, where: str) -> str:
        listed = split_cell(value, value) if value.startswith("[") else []
        if len(listed) == 1 and labelling.label_of(value) not in labelling.labels:
            value = listed[0]  # a list of one, as annotation tools write it
        if labelling.label_of(value) not in labelling.labels:
            self._refuse_several(value, labelling, where)
        return labelling.one(value, where=where)

    def _refuse_several(self, value: str, labelling: Labelling, where: str) -> None:
        """Raises an error with a message of its own if a cell holds several labels."""
        for separator in _COMMON_SEPARATORS:
            parts = split_cell(value, separator)
            if len(parts) > 1 and all(
                labelling.label_of(part) in labelling.labels for part in parts
            ):
                raise RefusedError(
                    f"{where}: several labels in one row ({', '.join(parts)})",
                    expected="one label a row, for product.problem is classification",
                    next_step="set product.problem: multi_label and the source's "
                    f"`label_separator: {separator!r}`, or keep one label in the row",
                )

    def labels_in(self, label: str, labels: Labels) -> list[str]:
        return [label]

    def target(self, label: str, labels: Labels) -> list[float]:
        return [float(labels.index(label))]

    def label_of(self, target: Sequence[float], labels: Labels) -> str:
        return labels[int(target[0])]

    def merged(self, votes: Labels, *, labels: Labels, otherwise: str) -> str:
        return majority(votes, otherwise=otherwise)

    def questions(self, rows: Sequence[Labels], labels: Labels) -> list[Sequence[Sequence[Any]]]:
        return [rows]

    def check_rows(self, rows: Labels, counts: Mapping[str, int], *, limits: RowLimits) -> None:
        if sum(count > 0 for count in counts.values()) < 2:
            shown = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
            raise RefusedError(
                f"one class only ({shown})",
                expected="rows of at least two labels",
                next_step="check label_column and label_values of the labelled sources",
            )
        super().check_rows(rows, counts, limits=limits)

    def occurring(self, targets: Targets) -> NDArray[Any]:
        return np.unique(targets)

    def constant_scores(self, targets: Targets, *, labels: int) -> NDArray[np.float64]:
        return self._counts(targets, labels) / len(targets)

    def balanced_weights(self, targets: Targets, *, labels: int) -> NDArray[np.float64]:
        """Rows / (labels · rows of the label), so that the labels weigh the same in total."""
        counts = self._counts(targets, labels)
        return np.asarray(len(targets) / (labels * counts), dtype=np.float64)

    def _counts(self, targets: Targets, labels: int) -> NDArray[np.int64]:
        return np.bincount(targets[:, 0].astype(np.int64), minlength=labels)

    def scores(self, logits: NDArray[np.floating]) -> Scores:
        """Probabilities that sum to 1."""
        return softmax(logits)

    def answers(self, scores: Scores, decision: Decision) -> Values:
        weighed = scores if decision.thresholds is None else scores / decision.thresholds
        return np.asarray(weighed.argmax(axis=1))

    def confidence(self, scores: Scores, decision: Decision) -> NDArray[np.float64]:
        return np.asarray(scores.max(axis=1))

    def prediction(
        self, scores: Scores, *, labels: Labels, decision: Decision, truncated: bool
    ) -> Prediction:
        found: list[float] = scores[0].tolist()
        if decision.thresholds is None:
            label = labels[found.index(max(found))]
        else:
            label = labels[int(self.answers(scores, decision)[0])]
        probabilities = dict(zip(labels, found, strict=True))
        return Prediction(
            label=label,
            probability=probabilities[label],
            probabilities=probabilities,
            abstained=decision.abstain_below is not None and max(found) < decision.abstain_below,
            truncated=truncated,
        )

    def teacher_confidence(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of the likeliest label."""
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        largest: NDArray[np.float32] = 1.0 / shifted.sum(axis=1)
        return largest

    def gold(self, targets: Targets) -> Values:
        return targets[:, 0].astype(np.int64)

    def slices(self, gold: Values, labels: Labels) -> dict[str, Mask]:
        return {f"label {label}": np.asarray(gold == i) for i, label in enumerate(labels)}

    def confusion(self, gold: Values, answers: Values, labels: Labels) -> Iterator[tuple[str, str]]:
        """One line a row."""
        for actual, predicted in zip(gold, answers, strict=True):
            yield labels[actual], labels[predicted]

    def reordered(
        self, scores: Scores, answers: Values, *, own: Labels, labels: Labels
    ) -> tuple[Scores, Values]:
        # A label that the product no longer has is never right.
        places = np.array([labels.index(name) if name in labels else -1 for name in own])
        return reordered_columns(scores, own=own, labels=labels), np.asarray(places[answers])

    def claims(self, gold: Values, scores: Scores) -> tuple[Scores, Mask] | None:
        """The likeliest label's probability, and whether it is the gold one."""
        return scores.max(axis=1), scores.argmax(axis=1) == gold

    def with_temperature(self, scores: Scores, temperature: float) -> Scores:
        # Softmax ignores a shift, so logarithms of probabilities serve as the outputs.
        return softmax(log_clipped(scores) / temperature)

    def gold_probabilities(self, gold: Values, scores: Scores) -> Scores:
        return scores[np.arange(len(gold)), gold]

    def even_thresholds(self, labels: int) -> Thresholds:
        return (1 / labels,) * labels

    def move_threshold(self, thresholds: Thresholds, label: int, factor: float) -> Thresholds:
        """The others shrink or grow so that all sum to 1."""
        moved = super().move_threshold(thresholds, label, factor)[label]
        scale = (1 - moved) / (1 - thresholds[label])
        return tuple(moved if i == label else t * scale for i, t in enumerate(thresholds))
