"""The interface of a kind of problem: everything that the pipeline needs to know of it.

Each kind is one class in a file of its own: classification.py, multi_label.py, regression.py. Code
that needs torch, scikit-learn, matplotlib or a browser is elsewhere, in tables with one entry a
problem (tests/problem/test_problems.py lists the tables and checks that each has every problem).
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.decision import Decision
from pipeline.problem.labelling import Labelling, Labels
from pipeline.problem.prediction import Prediction
from pipeline.problem.probabilities import Mask, Scores, Targets, Values

Vote = TypeVar("Vote", str, bool)
Thresholds = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words for a problem in cards, plots and messages.

    Attributes:
        answer_of_a_text: the kind of answer, for the explanation of `product.problem`.
        row_score: what the mean of `row_scores` is called.
        row_score_column: its name as the head of a column.
        row_score_meaning: a sentence that explains it, or nothing.
        agreement: how two models' answers are compared.
        constant_answer: the answer of the baseline that does not read the text.
        answers: in the model card's list of facts; `{labels}` is replaced.
        gives: completes "It gives …"; `{labels}`, `{count}` and `{text}` are replaced.
        when_unsure: what the model card says about texts that no answer fits.
        every_split: what each split must contain.
    """

    answer_of_a_text: str
    row_score: str
    row_score_column: str
    row_score_meaning: str = ""
    agreement: str
    constant_answer: str
    answers: str
    gives: str
    when_unsure: str
    every_split: str = "rows of every label in train, validation and test"


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of the numbers in training.

    Training uses standardised numbers, so that one learning rate works for any unit. Afterwards
    pipeline/models/numbers.py scales the last layer, so that the model answers in the real unit.
    """

    mean: float
    deviation: float

    def standard(self, numbers: NDArray[np.floating]) -> Targets:
        """`(numbers − mean) / deviation`."""
        return np.asarray((numbers - self.mean) / self.deviation, dtype=np.float64)


class RowLimits(Protocol):
    """The limits of `validate` that the labels of the rows must keep."""

    @property
    def min_rows_per_label(self) -> int: ...
    @property
    def max_label_share(self) -> float: ...


class Problem(ABC):
    """A kind of problem: its labels, targets, scores, answers and words.

    Attributes:
        name: as `product.problem` has it.
        metrics: the metrics that a product may be judged by.
        usual_metric: the one of them that judges a product which names none.
        agreement_metric: compares the answers of two models; None for the share of equal answers.
        has_probabilities: whether scores are probabilities, so that there is a confidence, and
            thresholds and a temperature can be fitted. Methods that need probabilities raise
            ValueError unless a class defines them.
        many_labels: whether a row may have several labels.
        columns: the fields of `Prediction` that an answer has.
        transformers_name: the kind of head, as transformers calls it.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    usual_metric: ClassVar[str]
    words: ClassVar[Words]
    columns: ClassVar[tuple[str, ...]]
    transformers_name: ClassVar[str]
    agreement_metric: ClassVar[str | None] = None
    has_probabilities: ClassVar[bool] = True
    many_labels: ClassVar[bool] = False

    @abstractmethod
    def labels_fault(self, labels: Labels) -> str | None:
        """The reason why these cannot be `product.labels`, in words; None if they can."""

    @abstractmethod
    def read_label(self, value: str, labelling: Labelling, *, where: str) -> str:
        """The label in a cell of a data file, in the form that our tables store.

        Args:
            where: file and line, for the message.

        Raises:
            RefusedError: no label of the product, several where one is wanted, or no finite number.
        """

    @abstractmethod
    def labels_in(self, label: str, labels: Labels) -> list[str]:
        """The labels under which a row with this stored label is counted."""

    @abstractmethod
    def target(self, label: str, labels: Labels) -> list[float]:
        """The target for a stored label: one number, or one number per label."""

    @abstractmethod
    def label_of(self, target: Sequence[float], labels: Labels) -> str:
        """The stored label of a target: what `target` turns back into."""

    @abstractmethod
    def merged(self, votes: Labels, *, labels: Labels, otherwise: str) -> str:
        """The stored label that results from the votes of a row.

        Args:
            otherwise: the source's label, which decides a tie.
        """

    @abstractmethod
    def questions(self, rows: Sequence[Labels], labels: Labels) -> list[Sequence[Sequence[Any]]]:
        """One entry per question that annotators answer; each holds their values, row by row."""

    def points(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Points, `(values, dimensions)`, for Krippendorff's alpha of one question's values.

        The squared distance of two points is in proportion to δ², how much two values differ. By
        default, all values that are not equal differ by the same.
        """
        found, which = np.unique(np.asarray(values), return_inverse=True)
        return np.eye(len(found))[which]

    @abstractmethod
    def check_rows(self, rows: Labels, counts: Mapping[str, int], *, limits: RowLimits) -> None:
        """Checks that every label has enough rows and that none dominates.

        Args:
            rows: the stored label of each row.
            counts: number of rows per label.

        Raises:
            RefusedError: a label is missing, rare or too common, or all numbers are equal.
        """

    @abstractmethod
    def split_fault(self, targets: Sequence[Sequence[float]], labels: Labels) -> str | None:
        """The reason why a split cannot be used, in words; None if it can."""

    def spread(self, rows: Labels) -> dict[str, Any] | None:
        """Least, most, mean and median of the rows' numbers; None if rows have labels."""
        return None

    @abstractmethod
    def can_learn(self, targets: Targets, *, labels: int) -> bool:
        """Whether every label occurs, or the numbers differ."""

    def constant_scores(self, targets: Targets, *, labels: int) -> NDArray[np.float64]:
        """Scores of the best constant answer, `(outputs,)`: the labels' shares, or the mean."""
        return np.asarray(targets.mean(axis=0), dtype=np.float64)

    def balanced_weights(self, targets: Targets, *, labels: int) -> NDArray[np.float64]:
        """Weights that make up for rare labels, `(labels,)`."""
        raise self._no_probabilities()

    def scale(self, targets: Targets) -> Scale | None:
        """Mean and deviation of targets of shape `(texts, 1)`; None if targets are labels."""
        return None

    def number_range(self, targets: Targets) -> tuple[float, float] | None:
        """The smallest and the largest training target; None if the answer is not a number."""
        return None

    @abstractmethod
    def scores(self, logits: NDArray[np.floating]) -> Scores:
        """Scores of the shape of `logits`, `(…, outputs)`, in float64."""

    @abstractmethod
    def answers(self, scores: Scores, decision: Decision) -> Values:
        """The answers, in one of the forms of `Values`."""

    def confidence(self, scores: Scores, decision: Decision) -> NDArray[np.float64]:
        """How sure each answer is, `(rows,)`; `ValueError` for numbers, which have none."""
        raise self._no_probabilities()

    def abstains(self, scores: Scores, decision: Decision) -> Mask:
        """Which rows are not answered, `(rows,)`."""
        if decision.abstain_below is None:
            return np.zeros(len(scores), dtype=np.bool_)
        return np.asarray(self.confidence(scores, decision) < decision.abstain_below)

    @abstractmethod
    def prediction(
        self, scores: Scores, *, labels: Labels, decision: Decision, truncated: bool
    ) -> Prediction:
        """The answer to one request, from its scores `(1, outputs)`."""

    @abstractmethod
    def teacher_confidence(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """How sure the teacher is of each row, `(rows,)`, in float32."""

    @abstractmethod
    def gold(self, targets: Targets) -> Values:
        """Targets `(rows, width)` in the form that `answers` has."""

    def right(self, gold: Values, answers: Values) -> NDArray[np.float64]:
        """1.0 if the answer of a row is the gold one, else 0.0; `(rows,)`."""
        return np.asarray(gold == answers, dtype=np.float64)

    def row_scores(self, gold: Values, answers: Values) -> NDArray[np.float64]:
        """The score of each row, at most 1; by default 1.0 if right, else 0.0. `(rows,)`."""
        return self.right(gold, answers)

    def tolerance_unit(self, targets: Targets) -> float:
        """Tolerances are multiplied by this: 1 for probabilities, the spread for numbers."""
        return 1.0

    def slices(self, gold: Values, labels: Labels) -> dict[str, Mask]:
        """Name of a slice → mask of its rows, `(rows,)`: one slice per gold label.

        Numbers have none: the extremes are harder for every model, so a slice by value would always
        show a gap.
        """
        return {}

    @abstractmethod
    def confusion(self, gold: Values, answers: Values, labels: Labels) -> Iterator[tuple[str, str]]:
        """Pairs of actual and predicted, in words, for the confusion table that DVC draws."""

    def reordered(
        self, scores: Scores, answers: Values, *, own: Labels, labels: Labels
    ) -> tuple[Scores, Values]:
        """Reorders scores and answers of a bundle from its label order `own` to `labels`."""
        return scores, answers

    def flips(self, answers: Values, others: Values) -> int | None:
        """Number of rows whose answer differs; None for numbers, which always differ a little."""
        rows = len(answers)
        return int((answers.reshape(rows, -1) != others.reshape(rows, -1)).any(axis=1).sum())

    def claims(self, gold: Values, scores: Scores) -> tuple[Scores, Mask] | None:
        """Predicted probabilities and whether each was right, both `(events,)`; None for numbers."""
        return None

    def with_temperature(self, scores: Scores, temperature: float) -> Scores:
        """The probabilities when the logits are divided by `temperature`."""
        raise self._no_probabilities()

    def gold_probabilities(self, gold: Values, scores: Scores) -> Scores:
        """The probability given to the gold label, or to each gold yes or no of a row."""
        raise self._no_probabilities()

    def even_thresholds(self, labels: int) -> Thresholds:
        """Thresholds that give the same answers as no thresholds."""
        raise self._no_probabilities()

    def move_threshold(self, thresholds: Thresholds, label: int, factor: float) -> Thresholds:
        """Thresholds in which the label's odds are `factor` times as high."""
        raise self._no_probabilities()

    def is_answer(self, answer: Prediction) -> bool:
        """Whether the fields that an answer to this problem has are set."""
        return all(getattr(answer, column) is not None for column in self.columns)

    def _no_probabilities(self) -> ValueError:
        return ValueError(f"{self.name} gives a number, and no probability")


def majority(votes: Iterable[Vote], *, otherwise: Vote) -> Vote:
    """The vote that most annotators gave; `otherwise` on a tie."""
    (vote, count), *others = Counter(votes).most_common(2)
    return otherwise if others and others[0][1] == count else vote
