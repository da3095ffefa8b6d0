"""Which rows are chosen: unsure ones that differ, typical ones of each kind."""

import numpy as np
import pytest

from pipeline.active_learning.query_strategies import margins, unlike_each_other, unsure_and_unlike


def _clusters(each: int, kinds: int, *, seed: int = 0) -> np.ndarray:
    """Rows of some kinds that are far apart, `(each × kinds, 8)`."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(0, 10, (kinds, 8))
    rows = np.repeat(centres, each, axis=0) + chance.normal(0, 0.1, (each * kinds, 8))
    return rows.astype(np.float32)


@pytest.mark.parametrize(
    ("exclusive", "expected"),
    [(True, [0.8, 0.0]), (False, [0.8, 0.0])],
    ids=["one label", "several"],
)
def test_a_margin_is_the_distance_of_the_two_likeliest_answers(
    exclusive: bool, expected: list[float]
) -> None:
    found = margins(np.array([[0.1, 0.9], [0.5, 0.5]]), exclusive=exclusive)
    assert found.tolist() == pytest.approx(expected)


def test_unsure_rows_are_chosen_one_of_each_kind() -> None:
    """Of the forty least sure rows most are nearly the same; they do not fill the batch."""
    vectors, margin = _clusters(100, 4), np.ones(400)
    unsure = np.concatenate([np.arange(28), *(np.arange(4) + 100 * kind for kind in (1, 2, 3))])
    margin[unsure] = 0.01
    chosen = unsure_and_unlike(margin, vectors, 4, seed=1)
    assert {*(chosen // 100).tolist()} == {0, 1, 2, 3}


def test_the_least_sure_row_comes_first() -> None:
    chance = np.random.default_rng(2)
    margin = chance.random(500)
    chosen = unsure_and_unlike(margin, _clusters(50, 10), 20, seed=1)
    assert len({*chosen.tolist()}) == len(chosen) <= 20
    assert margin[chosen].tolist() == sorted(margin[chosen].tolist())
    assert margin[chosen].max() <= np.sort(margin)[199]


def test_first_rows_are_one_of_each_kind_the_largest_kind_first() -> None:
    vectors = np.concatenate([_clusters(90, 1), _clusters(20, 3, seed=4)])
    chosen = unlike_each_other(vectors, 4, seed=1)
    assert chosen[0] < 90
    assert {*((chosen[1:] - 90) // 20).tolist()} == {0, 1, 2}


@pytest.mark.parametrize("rows", [0, 1, 3], ids=["no rows", "one row", "as many as wanted"])
def test_few_rows_are_all_chosen(rows: int) -> None:
    vectors = np.ones((rows, 4), np.float32)
    assert sorted(unlike_each_other(vectors, 3, seed=1).tolist()) == [*range(rows)]
    assert sorted(unsure_and_unlike(np.ones(rows), vectors, 3, seed=1).tolist()) == [*range(rows)]
