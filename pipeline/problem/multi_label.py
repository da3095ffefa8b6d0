"""multi_label: a text has any number of labels, or none.

The answer is every label whose probability reaches its threshold, .5 where none are given.
Confidence is the distance of the label that is nearest to its threshold.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.decision import HALF, Decision
from pipeline.problem.label_problem import LabelProblem, reordered_columns
from pipeline.problem.labelling import BETWEEN_LABELS, Labelling, Labels, split_cell
from pipeline.problem.prediction import Prediction
from pipeline.problem.probabilities import Mask, Scores, Targets, Values, log_clipped, sigmoid
from pipeline.problem.problem import Words, majority

_NONE = "none"


class MultiLabel(LabelProblem):
    """Several labels a text.

    Tables hold its labels in the product's order with `|` between them, or nothing; the target is 1
    or 0 for each label.
    """

    name = "multi_label"
    metrics = ("micro_f1", "macro_f1", "average_precision")
    usual_metric = "micro_f1"
    columns = ("labels", "probabilities")
    transformers_name = "multi_label_classification"
    many_labels = True
    words = Words(
        answer_of_a_text="any number of labels a text",
        row_score="share of rows with all labels right",
        row_score_column="share right",
        row_score_meaning="An answer is right when all its labels are.",
        agreement="share of equal label decisions",
        constant_answer="the labels' shares",
        answers="any of {labels}, or none",
        gives="a {text} those of {count} labels that hold, with a probability for each",
        when_unsure="no label at all is a sign of that, not a proof",
    )

    def labels_fault(self, labels: Labels) -> str | None:
        if any(BETWEEN_LABELS in label for label in labels):
            return f"without {BETWEEN_LABELS}, which tables write between labels"
        return None

    def read_label(self, value: str, labelling: Labelling, *, where: str) -> str:
        parts = split_cell(value, labelling.separator)
        named = {labelling.one(part, where=where) for part in parts}
        return BETWEEN_LABELS.join(label for label in labelling.labels if label in named)

    def labels_in(self, label: str, labels: Labels) -> list[str]:
        return [name for name in label.split(BETWEEN_LABELS) if name]

    def target(self, label: str, labels: Labels) -> list[float]:
        named = self.labels_in(label, labels)
        return [float(name in named) for name in labels]

    def label_of(self, target: Sequence[float], labels: Labels) -> str:
        held = zip(labels, target, strict=True)
        return BETWEEN_LABELS.join(label for label, holds in held if holds > 0)

    def merged(self, votes: Labels, *, labels: Labels, otherwise: str) -> str:
        """The majority of each label."""
        named = [self.labels_in(vote, labels) for vote in votes]
        before = self.labels_in(otherwise, labels)
        return BETWEEN_LABELS.join(
            label
            for label in labels
            if majority([label in row for row in named], otherwise=label in before)
        )

    def questions(self, rows: Sequence[Labels], labels: Labels) -> list[Sequence[Sequence[Any]]]:
        """For each label, whether the text has it."""
        named = [[self.labels_in(label, labels) for label in row] for row in rows]
        return [[[label in names for names in row] for row in named] for label in labels]

    def occurring(self, targets: Targets) -> NDArray[Any]:
        return np.flatnonzero(targets.any(axis=0))

    def balanced_weights(self, targets: Targets, *, labels: int) -> NDArray[np.float64]:
        """Rows without the label / rows with it, so that both answers weigh the same in total."""
        held = targets.sum(axis=0)
        return np.asarray((len(targets) - held) / held, dtype=np.float64)

    def scores(self, logits: NDArray[np.floating]) -> Scores:
        """A probability a label."""
        return sigmoid(logits)

    def answers(self, scores: Scores, decision: Decision) -> Values:
        return np.asarray(scores >= _cuts(decision))

    def confidence(self, scores: Scores, decision: Decision) -> NDArray[np.float64]:
        return np.asarray(abs(scores - _cuts(decision)).min(axis=1))

    def prediction(
        self, scores: Scores, *, labels: Labels, decision: Decision, truncated: bool
    ) -> Prediction:
        found = self.answers(scores, decision)[0]
        return Prediction(
            labels=[label for label, holds in zip(labels, found, strict=True) if holds],
            probabilities=dict(zip(labels, scores[0].tolist(), strict=True)),
            abstained=bool(self.abstains(scores, decision)[0]),
            truncated=truncated,
        )

    def teacher_confidence(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean over the labels of the probability of the likelier answer, yes or no."""
        likelier = 1.0 / (1.0 + np.exp(-np.abs(logits)))
        return np.asarray(likelier.mean(axis=1), dtype=np.float32)

    def gold(self, targets: Targets) -> Values:
        return targets > 0

    def right(self, gold: Values, answers: Values) -> NDArray[np.float64]:
        """An answer is right when its labels are exactly the gold ones."""
        return np.asarray((gold == answers).all(axis=1), dtype=np.float64)

    def slices(self, gold: Values, labels: Labels) -> dict[str, Mask]:
        masks = {f"label {label}": gold[:, i] for i, label in enumerate(labels)}
        return masks | {"no label": np.asarray(~gold.any(axis=1))}

    def confusion(self, gold: Values, answers: Values, labels: Labels) -> Iterator[tuple[str, str]]:
        """One line for each label of gold or answer, with `none` on the side that lacks it."""
        for row, number in np.argwhere(gold | answers):
            name = labels[number]
            yield (name if gold[row, number] else _NONE, name if answers[row, number] else _NONE)

    def reordered(
        self, scores: Scores, answers: Values, *, own: Labels, labels: Labels
    ) -> tuple[Scores, Values]:
        held = reordered_columns(answers.astype(np.float64), own=own, labels=labels)
        return reordered_columns(scores, own=own, labels=labels), held > 0

    def claims(self, gold: Values, scores: Scores) -> tuple[Scores, Mask] | None:
        """Every label's probability, and whether the text has it."""
        return scores.ravel(), gold.ravel()

    def with_temperature(self, scores: Scores, temperature: float) -> Scores:
        outputs = (log_clipped(scores) - log_clipped(1 - scores)) / temperature
        return np.asarray(0.5 * (1 + np.tanh(outputs / 2)), dtype=np.float64)

    def gold_probabilities(self, gold: Values, scores: Scores) -> Scores:
        return np.where(gold, scores, 1 - scores)


def _cuts(decision: Decision) -> Any:
    return HALF if decision.thresholds is None else decision.thresholds
