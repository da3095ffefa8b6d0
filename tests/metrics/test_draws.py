"""Metrics computed from counts equal scikit-learn's, on any rows that a bootstrap may draw."""

import numpy as np
import pytest

from pipeline.metrics.draws import drawn_figure
from pipeline.metrics.quality import figure_of

ROWS = 60


def classified(random: np.random.Generator, labels: int) -> tuple[np.ndarray, ...]:
    gold, answers = random.integers(0, labels, (2, ROWS))
    return gold, np.where(random.random(ROWS) < 0.5, gold, answers), random.random((ROWS, labels))


def labelled(random: np.random.Generator, labels: int) -> tuple[np.ndarray, ...]:
    gold = random.random((ROWS, labels)) < [0.5, 0.2, 0.03][:labels]
    # Rounded, so that some rows have equal scores.
    scores = np.round(0.5 * gold + random.random(gold.shape), 1)
    return gold, scores > 0.7, scores


CASES = {
    ("macro_f1", classified, 2),
    ("macro_f1", classified, 5),
    ("matthews", classified, 2),
    ("matthews", classified, 5),
    ("accuracy", classified, 2),
    ("micro_f1", labelled, 3),
    ("macro_f1", labelled, 3),
    ("average_precision", labelled, 3),
}


@pytest.mark.parametrize(("metric", "make", "labels"), sorted(CASES, key=str))
def test_drawn_rows_have_the_figure_of_the_library(metric: str, make, labels: int) -> None:
    random = np.random.default_rng(4)
    gold, answers, scores = make(random, labels)
    drawn = drawn_figure(metric, gold=gold, answers=answers, scores=scores)
    for size in (12, 20, ROWS, ROWS, ROWS):
        rows = random.integers(0, ROWS, size)
        expected = figure_of(metric, gold=gold[rows], answers=answers[rows], scores=scores[rows])
        assert drawn(rows) == pytest.approx(expected, abs=1e-12), size


def test_where_nothing_varies_matthews_is_nought() -> None:
    gold = np.array([0, 1, 1])
    drawn = drawn_figure("matthews", gold=gold, answers=gold, scores=np.zeros((3, 2)))
    assert drawn(np.array([1, 2, 2])) == 0.0
    assert drawn(np.array([0, 1, 2])) == pytest.approx(1.0)


def test_a_label_that_is_no_longer_one_is_wrong_and_counts() -> None:
    gold, answers = np.array([0, 1, 1]), np.array([0, 1, -1])
    drawn = drawn_figure("macro_f1", gold=gold, answers=answers, scores=np.zeros((3, 2)))
    expected = figure_of("macro_f1", gold=gold, answers=answers, scores=np.zeros((3, 2)))
    assert drawn(np.arange(3)) == pytest.approx(expected)
