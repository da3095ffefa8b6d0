"""How good a model can look at most, told from how often two people give a row the same label."""

import numpy as np
import pytest

from pipeline.metrics.noise_ceiling import noise_ceiling, share_right


def votes(right: float, *, labels: int, rows: int, people: int = 2) -> list[list[str]]:
    """Votes of people who are right that often, and else give any other label."""
    chance = np.random.default_rng(4)
    truth = chance.integers(0, labels, rows)
    other = (truth[:, None] + chance.integers(1, labels, (rows, people))) % labels
    given = np.where(chance.random((rows, people)) < right, truth[:, None], other)
    return [[str(vote) for vote in row] for row in given]


def test_the_share_of_right_labels_follows_from_agreement() -> None:
    # Two people who are right in 0.9 of two labels agree in 0.9² + 0.1².
    assert share_right(0.82, labels=2) == pytest.approx(0.9)
    assert share_right(0.9**2 + 0.1**2 / 3, labels=4) == pytest.approx(0.9)
    assert share_right(1.0, labels=3) == 1.0
    assert share_right(0.3, labels=2) == 0.5  # no better than chance


@pytest.mark.parametrize(("labels", "people"), [(2, 2), (5, 3)])
def test_it_finds_how_often_people_are_right_within_its_interval(labels: int, people: int) -> None:
    found = noise_ceiling(votes(0.9, labels=labels, rows=800, people=people), labels=labels, seed=1)
    assert found is not None
    assert found.low < 0.9 < found.high
    assert found.high - found.low < 0.08


def test_rows_that_one_person_labelled_say_nothing() -> None:
    assert noise_ceiling([["a"], ["b"]] * 100, labels=2, seed=1) is None


def test_a_few_rows_are_not_enough() -> None:
    assert noise_ceiling([["a", "a"]] * 19, labels=2, seed=1) is None
    full = noise_ceiling([["a", "a"]] * 20, labels=2, seed=1)
    assert full is not None
    assert full.value == 1.0
    assert full.low < 0.95  # twenty equal pairs are no proof of perfect labels
