"""Labels that are probably wrong are found among labels that are right, and go onto a sheet for people."""

import random

import numpy as np
import pytest

from pipeline.acceptance.suspect_labels import find_suspects
from pipeline.core.variants import CHARACTERS, TFIDF
from pipeline.models.linear import LinearTask
from pipeline.problem.problems import problem_named
from tests.support.small_reviews import texts

ROWS = texts(600)
STRENGTH = {TFIDF: 10.0, CHARACTERS: 1.0}


def task(problem: str = "classification") -> LinearTask:
    labels = 1 if problem == "regression" else 2
    return LinearTask(problem=problem_named(problem), labels=labels, pairs=False, max_ngram=1)


def planted(targets: np.ndarray, share: float) -> tuple[np.ndarray, set[int]]:
    """Targets of which a share is turned round, and the rows that are."""
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    wrong = chance.sample(range(len(targets)), round(share * len(targets)))
    changed = targets.copy()
    changed[wrong] = 1 - changed[wrong]
    return changed, set(wrong)


INPUTS = [text for text, _ in ROWS]
CLUSTERS = [f"row {number}" for number in range(len(ROWS))]
POSITIVE = np.array([[float(label == "positive")] for _, label in ROWS])


def test_planted_wrong_labels_come_first_with_the_right_one_suggested() -> None:
    targets, wrong = planted(POSITIVE, 0.1)
    found = find_suspects(INPUTS, targets, CLUSTERS, task=task(), regularisation=STRENGTH, seed=1)
    assert len(found) == 12  # 2 %
    assert {one.row for one in found} <= wrong
    assert all(one.suggested == [1 - targets[one.row, 0]] for one in found)
    sure = [one.confidence for one in found]
    assert sure == sorted(sure, reverse=True)
    assert 0.5 < sure[-1] <= 1


def test_right_labels_are_not_suspected() -> None:
    assert (
        find_suspects(INPUTS, POSITIVE, CLUSTERS, task=task(), regularisation=STRENGTH, seed=1)
        == []
    )


def test_of_several_labels_a_text_the_wrong_ones_are_found() -> None:
    both = np.concatenate([POSITIVE, 1 - POSITIVE], axis=1)
    targets, wrong = planted(both, 0.1)
    found = find_suspects(
        INPUTS, targets, CLUSTERS, task=task("multi_label"), regularisation=STRENGTH, seed=1
    )
    assert found
    assert {one.row for one in found} <= wrong
    assert all(one.suggested == both[one.row].tolist() for one in found)


def test_numbers_have_no_suspects() -> None:
    found = find_suspects(
        INPUTS, POSITIVE, CLUSTERS, task=task("regression"), regularisation=STRENGTH, seed=1
    )
    assert found == []


def test_a_label_whose_rows_are_all_copies_cannot_be_cross_fitted_and_nothing_is_suspected() -> (
    None
):
    clusters = ["one" if target else f"row {i}" for i, (target,) in enumerate(POSITIVE)]
    found = find_suspects(INPUTS, POSITIVE, clusters, task=task(), regularisation=STRENGTH, seed=1)
    assert found == []


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_rows(seed: int) -> None:
    targets, _ = planted(POSITIVE, 0.1)
    first, second = (
        find_suspects(INPUTS, targets, CLUSTERS, task=task(), regularisation=STRENGTH, seed=seed)
        for _ in range(2)
    )
    assert first == second
