"""Answers for rows that a model has not learned from, and several models' answers joined into one."""

import numpy as np
import pytest

from pipeline.models.cross_fitted import cross_fitted, folds_of, pooled
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named

CLASSIFICATION = problem_named("classification")
MULTI_LABEL = problem_named("multi_label")


def test_rows_of_one_cluster_are_in_one_fold() -> None:
    clusters = [f"cluster {number // 3}" for number in range(90)]
    folds = folds_of(clusters, count=5, seed=0)
    assert set(folds.tolist()) == {0, 1, 2, 3, 4}
    assert (folds.reshape(30, 3) == folds.reshape(30, 3)[:, :1]).all()


def test_a_row_is_answered_by_a_model_that_has_not_learned_from_it() -> None:
    seen: list[tuple[set[int], set[int]]] = []

    def learn(train: np.ndarray, asked: np.ndarray) -> np.ndarray:
        seen.append((set(train.tolist()), set(asked.tolist())))
        return np.stack([asked, asked + 1.0], axis=1)

    folds = np.array([0, 1, 2, 0, 1, 2])
    assert cross_fitted(learn, folds).tolist() == [[i, i + 1.0] for i in range(6)]
    assert all(not train & asked and len(train | asked) == 6 for train, asked in seen)


@pytest.mark.parametrize("problem", [CLASSIFICATION, MULTI_LABEL])
def test_a_model_that_says_nothing_gets_no_weight(problem: Problem) -> None:
    chance = np.random.default_rng(1)
    truth = chance.random(400) < 0.5
    right = np.where(truth ^ (chance.random(400) < 0.2), 0.8, 0.2)
    noise = chance.random(400)
    both = [np.stack([1 - p, p], axis=1) for p in (right, noise)]
    if problem is CLASSIFICATION:
        targets = truth[:, None].astype(float)
    else:
        targets = np.stack([~truth, truth], axis=1).astype(float)
    found = pooled(both, targets, problem)
    assert np.corrcoef(found[:, 1], right)[0, 1] > 0.99
    assert found[:, 1][right > 0.5].mean() == pytest.approx(0.8, abs=0.05)  # and it is calibrated
