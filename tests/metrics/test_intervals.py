"""Intervals contain what they should, and the same rows always give the same interval."""

import numpy as np
import pytest

from pipeline.metrics.intervals import (
    Interval,
    bootstrap_interval,
    gap_interval,
    paired_difference,
    proportion_interval,
)

OPTIONS = {"confidence": 0.95, "resamples": 500, "seed": 3}


def test_equal_scores_differ_by_nothing() -> None:
    scores = np.array([1.0, 0.0, 1.0, 1.0])
    assert paired_difference(scores, scores, **OPTIONS) == Interval(0.0, 0.0, 0.0)


def test_a_paired_difference_is_tighter_than_two_separate_intervals() -> None:
    random = np.random.default_rng(0)
    first = random.random(1000) < 0.8
    second = first.copy()
    second[:20] = False
    paired = paired_difference(first, second, **OPTIONS)
    alone = proportion_interval(first, confidence=0.95)
    assert paired.low > 0
    assert paired.low <= paired.value <= paired.high
    assert paired.high - paired.low < alone.high - alone.low


def test_the_same_seed_gives_the_same_interval_and_chunks_do_not_matter() -> None:
    random = np.random.default_rng(1)
    scores = random.random((2, 5000)) < 0.7
    assert paired_difference(*scores, **OPTIONS) == paired_difference(*scores, **OPTIONS)


def test_one_row_can_only_be_drawn_as_it_is() -> None:
    assert paired_difference(np.ones(1), np.zeros(1), **OPTIONS) == Interval(1.0, 1.0, 1.0)
    found = bootstrap_interval(lambda rows: float(rows.sum()) + 2.0, 1, **OPTIONS)
    assert found == Interval(2.0, 2.0, 2.0)


def test_other_rows_and_no_rows_have_no_interval() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(np.ones(3), np.ones(4), **OPTIONS)
    with pytest.raises(ValueError, match="two or more observations"):
        paired_difference(np.ones(0), np.ones(0), **OPTIONS)
    with pytest.raises(ValueError, match="not less than 1"):
        proportion_interval(np.ones(0), confidence=0.95)


def test_wilson_matches_the_published_figures_and_stays_a_share() -> None:
    interval = proportion_interval(np.array([1] * 81 + [0] * 182), confidence=0.95)
    assert interval.low == pytest.approx(0.2553, abs=1e-4)  # Newcombe 1998, table I
    assert interval.high == pytest.approx(0.3662, abs=1e-4)
    # It stays inside zero and one.
    assert proportion_interval(np.ones(10), confidence=0.95).high == 1.0
    assert proportion_interval(np.zeros(10), confidence=0.95).low == 0.0


def test_a_slice_that_does_worse_shows_a_positive_gap() -> None:
    scores = np.array([1.0] * 900 + [0.0] * 60 + [1.0] * 40)
    inside = np.arange(1000) >= 900
    gap = gap_interval(scores, inside, **OPTIONS)
    assert gap.value == pytest.approx(0.94 - 0.4)
    assert 0.3 < gap.low < gap.value < gap.high < 0.7


def test_any_statistic_of_rows_gets_an_interval() -> None:
    values = np.random.default_rng(2).normal(5.0, 1.0, 400)
    interval = bootstrap_interval(lambda rows: float(np.median(values[rows])), 400, **OPTIONS)
    assert interval.low < interval.value < interval.high
    assert 4.7 < interval.low < 5.3
