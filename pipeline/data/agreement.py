"""Measures how far annotators agree: Krippendorff's alpha and its interval, for labels and numbers.

Values are points whose squared distance is how much they differ (`Problem.points`). All pairs of
values are then counted at once, from sums over the rows, however many different values there are.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.data_reports import AgreementJudgement
from pipeline.core.bootstrap_levels import bootstrap_levels
from pipeline.core.errors import DataError
from pipeline.core.progress import say
from pipeline.core.sections import LabelParams
from pipeline.problem.problem import Problem

Floats = NDArray[np.float64]

_CONFIDENCE = 0.95
_RESAMPLES = 1000
_CELLS_AT_A_TIME = 4_000_000
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the labels agree that several people gave to the same rows.

    Attributes:
        double_rows: rows that two people or more labelled; no other counts.
        alpha: Krippendorff's alpha: 1 for full agreement, 0 for agreement by chance. None where no
            two answers could differ.
        interval: the ends of its 95 % interval; None where `alpha` is.
    """

    double_rows: int
    alpha: float | None = None
    interval: tuple[float, float] | None = None

    def judgement(self, *, min_agreement: float, min_double_rows: int) -> AgreementJudgement:
        """Whether alpha reaches `min_agreement`, as far as the rows can tell."""
        if self.interval is None:
            return "not measured"
        if self.double_rows < min_double_rows:
            return "inconclusive"
        low, high = self.interval
        if high < min_agreement:
            return "missed"
        return "reached" if low >= min_agreement else "inconclusive"


@dataclass(frozen=True, slots=True)
class _Question:
    """The answers to one question in sums a row, which are all that alpha needs.

    Attributes:
        answers: answers to the question, `(rows,)`; each row has two or more.
        apart: δ² of each ordered pair of them, summed, over `answers − 1`, `(rows,)`.
        points: sum of their points, `(rows, dimensions)`.
        squares: sum of the squared lengths of the points, `(rows,)`.
    """

    answers: Floats
    apart: Floats
    points: Floats
    squares: Floats

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], problem: Problem) -> Self:
        """The sums of the values of each row."""
        counts = np.array([len(row) for row in rows])
        first = np.cumsum(counts) - counts
        points = problem.points([value for row in rows for value in row])
        sums = np.add.reduceat(points, first)
        off = points - np.repeat(sums / counts[:, None], counts, axis=0)
        within = np.add.reduceat((off**2).sum(axis=1), first)
        return cls(
            answers=counts.astype(np.float64),
            apart=2 * counts * within / (counts - 1),
            points=sums,
            squares=np.add.reduceat((points**2).sum(axis=1), first),
        )

    def alpha(self, times: Floats) -> Floats:
        """Alpha of rows that occur so many times, `(draws,)`; NaN where no answers differ.

        α = 1 − (n − 1)·Σ_{c≠k} o_ck·δ²_ck / Σ_{c≠k} n_c·n_k·δ²_ck (Krippendorff 2011, "Computing
        Krippendorff's Alpha-Reliability", sections C and D).

        Args:
            times: how often each row occurs, `(draws, rows)`.
        """
        count, squares = times @ self.answers, times @ self.squares
        expected = 2 * (count * squares - ((times @ self.points) ** 2).sum(axis=1))
        differ = expected > _ROUNDING * count * squares
        share = (count - 1) * (times @ self.apart) / np.where(differ, expected, 1.0)
        return np.where(differ, 1 - share, math.nan)


def agreement(
    rows: Sequence[Sequence[str]], *, problem: Problem, labels: Sequence[str], seed: int
) -> Agreement:
    """Krippendorff's alpha of the annotators' labels, as the mean over the questions asked.

    classification asks for the label, regression for the number, multi_label asks for each label
    whether the text has it; a question to which no two answers differ does not count. The interval
    is a bias-corrected bootstrap over the rows (1,000 draws). A draw in which all answers are the same
    counts as full agreement.

    Args:
        rows: the labels that each row was given, in the form that tables use.
    """
    given = Counter(tuple(sorted(row)) for row in rows if len(row) > 1)
    counted = dict(sorted(given.items()))  # the order of the rows changes nothing
    double = sum(counted.values())
    if not double:
        return Agreement(double_rows=0)
    times = np.array([*counted.values()], dtype=np.float64)
    asked = [_Question.of(values, problem) for values in problem.questions([*counted], labels)]
    found = {
        number: alpha
        for number, question in enumerate(asked)
        if not math.isnan(alpha := float(question.alpha(times[None])[0]))
    }
    if not found:
        return Agreement(double_rows=double)
    drawn = _drawn([asked[number] for number in found], times, seed=seed)
    value = sum(found.values()) / len(found)
    near = np.abs(drawn - value) < _ROUNDING
    below = float(((drawn < value) & ~near).mean() + near.mean() / 2)
    low, high = np.quantile(drawn, bootstrap_levels(below, confidence=_CONFIDENCE))
    return Agreement(double, value, (float(low), float(high)))


def checked_agreement(found: Agreement, limits: LabelParams) -> AgreementJudgement:
    """The judgement of the agreement; says it where it is not certain.

    Raises:
        DataError: enough rows show that people agree less than `limits.min_agreement`.
    """
    least, rows = limits.min_agreement, limits.min_double_rows
    judgement = found.judgement(min_agreement=least, min_double_rows=rows)
    if found.interval is None:
        return judgement
    low, high = found.interval
    alpha = (
        f"Krippendorff's alpha of the annotations is {found.alpha:.3f} (95 % interval {low:.3f} to"
        f" {high:.3f}; {found.double_rows:,} rows that several people labelled)"
    )
    if judgement == "missed":
        raise DataError(
            alpha,
            expected=f"at least {least} (label.min_agreement)",
            next_step="make the instructions clearer and annotate again, or lower the limit",
        )
    if judgement == "inconclusive":
        say(
            f"label  {alpha}: inconclusive, for at least {least} is wanted, shown on {rows:,} rows or"
            " more; let several people label more rows"
        )
    return judgement


def _drawn(questions: Sequence[_Question], times: Floats, *, seed: int) -> Floats:
    """Mean alpha of the questions in rows that are drawn with replacement, `(draws,)`."""
    random = np.random.default_rng(seed)
    rows = int(times.sum())
    at_a_time = max(_CELLS_AT_A_TIME // len(times), 1)
    found = []
    for start in range(0, _RESAMPLES, at_a_time):
        size = min(at_a_time, _RESAMPLES - start)
        drawn = random.multinomial(rows, times / rows, size=size).astype(np.float64)
        alphas = [question.alpha(drawn) for question in questions]
        found.append(np.nan_to_num(np.stack(alphas), nan=1.0).mean(axis=0))
    return np.concatenate(found)
