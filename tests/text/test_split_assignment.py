"""Clusters are assigned to splits by hash, and unusable splits are refused."""

from contextlib import nullcontext

import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.problem.problems import problem_named
from pipeline.text.split_assignment import check_splits, split_of

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)


def test_the_same_cluster_is_always_in_the_same_split_and_shares_hold() -> None:
    splits = [split_of(str(i), salt="s", shares=SHARES) for i in range(5000)]
    assert splits == [split_of(str(i), salt="s", shares=SHARES) for i in range(5000)]
    for name, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert splits.count(name) / 5000 == pytest.approx(share, abs=0.03)


SPLITS = ["train", "train", "validation", "validation", "test", "test"]


@pytest.mark.parametrize(
    ("problem", "targets", "message"),
    [
        ("classification", [[0.0], [1.0]] * 3, None),
        ("classification", [[0.0], [1.0], [0.0], [1.0], [0.0], [0.0]], "test split lacks b"),
        ("classification", [[0.0], [1.0]] * 2, "test split is empty"),
        ("multi_label", [[1.0, 1.0], [0.0, 0.0]] * 3, None),
        ("multi_label", [[1.0, 1.0], [1.0, 0.0]] * 2 + [[0.0, 0.0]] * 2, "test split lacks a, b"),
        ("regression", [[1.5], [2.0]] * 3, None),
        ("regression", [[1.5], [2.0]] * 2 + [[3.0]] * 2, "test split has one number only"),
    ],
)
def test_splits_that_cannot_be_judged_on_are_refused(
    problem: str, targets: list[list[float]], message: str | None
) -> None:
    labels = ["stars"] if problem == "regression" else ["a", "b"]
    splits = SPLITS[: len(targets)]
    with pytest.raises(DataError, match=message) if message else nullcontext():
        check_splits(splits, targets, problem=problem_named(problem), labels=labels)
