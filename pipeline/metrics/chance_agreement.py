"""Measures agreement beyond chance of any number of people: Krippendorff's alpha, Gwet's AC1, Fleiss' kappa.

Each has a bias-corrected 95 % interval from a bootstrap over the rows. People need not have voted on every row:
the share of agreement is that of the rows with two votes or more, and what chance explains is told from all
(Gwet 2014, "Handbook of Inter-Rater Reliability", chapters 2 and 5; Fleiss 1971; Krippendorff 2011).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.metrics.bias_corrected import bias_corrected_interval
from pipeline.metrics.intervals import Interval
from pipeline.metrics.vote_table import Floats, Integers, VoteTable

COEFFICIENTS = ("alpha", "ac1", "fleiss_kappa")
CONFIDENCE, RESAMPLES = 0.95, 1000
_CELLS_AT_A_TIME = 4_000_000
_ROWS_A_PATTERN = 10  # from here on it is quicker to draw patterns than rows
_ROUNDING = 1e-12

Measures = dict[str, Interval | None]
"""Name of a coefficient → its value and interval; None where the votes do not tell it."""


class _Sums:
    """Sums of each row for the coefficients of one question, which can be weighted and added."""

    def __init__(self, counts: Integers) -> None:
        """Take how many people gave each answer, `(rows, choices)`."""
        votes = counts.sum(axis=1).astype(np.float64)
        self.double = (votes > 1).astype(np.float64)
        self.voted = (votes > 0).astype(np.float64)
        alike = (counts * (counts - 1.0)).sum(axis=1)
        pairs = np.maximum(votes * (votes - 1), 1.0)
        self.alike = alike / pairs
        self.apart = self.double * (votes * (votes - 1) - alike) / np.maximum(votes - 1, 1.0)
        self.shares = counts / np.maximum(votes, 1.0)[:, None]
        self.totals = counts * self.double[:, None]

    def coefficients(self, times: Floats) -> Floats:
        """Returns `(coefficients, draws)` of rows that occur so many times, `(draws, rows)`.

        NaN where no row has two votes; infinite where no two answers differ, and chance is all there is.
        """
        totals = times @ self.totals
        count = totals.sum(axis=1)
        expected = count**2 - (totals**2).sum(axis=1)
        shares = (times @ self.shares) / np.maximum(times @ self.voted, 1.0)[:, None]
        squares = (shares**2).sum(axis=1)
        double = times @ self.double
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (times @ self.alike) / double
            alpha = 1 - (count - 1) * (times @ self.apart) / expected
            by_chance = (1 - squares) / (shares.shape[1] - 1)
            ac1 = (found - by_chance) / (1 - by_chance)
            kappa = (found - squares) / (1 - squares)
        alpha[expected <= _ROUNDING * count**2] = math.inf
        kappa[1 - squares <= _ROUNDING] = math.inf
        return np.where(double > 0, np.stack([alpha, ac1, kappa]), math.nan)


@dataclass(frozen=True, slots=True)
class ChanceAgreement:
    """Agreement on all labels, and on each.

    Attributes:
        overall: of the answers to all questions: of several, the mean over those to which answers differ.
        by_label: label → whether a text has it, which is one label against all others.
    """

    overall: Measures
    by_label: dict[str, Measures]


def chance_agreement(table: VoteTable, labels: Sequence[str], *, seed: int) -> ChanceAgreement:
    """Returns the coefficients of the votes.

    A draw of rows in which all answers are the same counts as full agreement.

    Args:
        labels: of the product.
    """
    different, often = _patterns(table)
    several = table.answers.shape[1] > 1
    if several:
        questions = np.split(different, len(labels), axis=1)
    else:
        votes = different.sum(axis=1)
        questions = [np.stack([votes - column, column], axis=1) for column in different.T]
        questions.append(different)
    found, drawn = _measured([_Sums(question) for question in questions], often, seed=seed)
    overall = slice(None) if several else slice(len(labels), None)
    return ChanceAgreement(
        overall=_measures(found[:, overall], drawn[:, :, overall]),
        by_label={
            label: _measures(found[:, n : n + 1], drawn[:, :, n : n + 1])
            for n, label in enumerate(labels)
        },
    )


def overall_agreement(table: VoteTable, labels: Sequence[str], *, seed: int) -> Measures:
    """Returns `overall` of `chance_agreement`, without the time that each label takes."""
    different, often = _patterns(table)
    questions = table.answers.shape[1]
    parts = np.split(different, len(labels), axis=1) if questions > 1 else [different]
    return _measures(*_measured([_Sums(part) for part in parts], often, seed=seed))


def chance_agreement_by_version(
    table: VoteTable, labels: Sequence[str], versions: Sequence[str], *, seed: int
) -> dict[str, ChanceAgreement]:
    """Returns version of the guide → the agreement of the votes that were given under it.

    Args:
        versions: of the guide, one a vote, in the order of the table's votes.
    """
    given = np.asarray(versions)
    return {
        str(version): chance_agreement(table.only(given == version), labels, seed=seed)
        for version in np.unique(given)
    }


def _patterns(table: VoteTable) -> tuple[Integers, Integers]:
    """Returns the different counts of answers that rows have, `(patterns, questions × choices)`, and of how many rows."""
    counts = np.concatenate([table.counts(n) for n in range(table.answers.shape[1])], axis=1)
    return np.unique(counts, axis=0, return_counts=True)


def _measures(found: Floats, drawn: Floats) -> Measures:
    """Returns the means over the questions with their intervals, of what `_measured` returns."""
    return {name: _interval(found[place], drawn[place]) for place, name in enumerate(COEFFICIENTS)}


def _measured(questions: Sequence[_Sums], often: Integers, *, seed: int) -> tuple[Floats, Floats]:
    """Returns `(coefficients, questions)` of all rows, and `(coefficients, draws, questions)`.

    Args:
        questions: the sums of each pattern of votes.
        often: how many rows there are of each pattern, `(patterns,)`.
    """

    def all_of(times: Floats) -> Floats:
        return np.stack([question.coefficients(times) for question in questions], axis=-1)

    drawn = [all_of(times) for times in _draws(often, seed=seed)]
    return all_of(often[None].astype(np.float64))[:, 0], np.concatenate(drawn, axis=1)


def _draws(often: Integers, *, seed: int) -> Iterator[Floats]:
    """Yields how often each pattern occurs among rows drawn with replacement, `(some draws, patterns)`.

    Args:
        often: how many rows there are of each pattern, `(patterns,)`.
    """
    random = np.random.default_rng(seed)
    rows, patterns = int(often.sum()), len(often)
    at_a_time = max(_CELLS_AT_A_TIME // patterns, 1)
    pattern_of = np.repeat(np.arange(patterns), often)
    for start in range(0, RESAMPLES, at_a_time):
        size = min(at_a_time, RESAMPLES - start)
        if rows > _ROWS_A_PATTERN * patterns:
            times = random.multinomial(rows, often / rows, size=size)
        else:
            chosen = [pattern_of[random.integers(rows, size=rows)] for _ in range(size)]
            times = np.stack([np.bincount(each, minlength=patterns) for each in chosen])
        yield times.astype(np.float64)


def _interval(found: Floats, drawn: Floats) -> Interval | None:
    """Returns the mean over questions, `(questions,)`, and the interval of `(draws, questions)`."""
    if not (known := np.isfinite(found)).any():
        return None
    means = np.where(np.isinf(drawn[:, known]), 1.0, drawn[:, known]).mean(axis=1)
    value = float(found[known].mean())
    return bias_corrected_interval(value, means[~np.isnan(means)], confidence=CONFIDENCE)
