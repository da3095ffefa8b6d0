"""What annotators of a row amount to."""

import pytest

from pipeline.data.annotations import majority, merged


def test_the_majority_wins_and_a_tie_keeps_the_source() -> None:
    assert majority(["a", "b", "b"], otherwise="a") == "b"
    assert majority(["b", "a"], otherwise="a") == "a"


@pytest.mark.parametrize(
    ("problem", "votes", "gold"),
    [
        ("classification", ["x", "y", "y"], "y"),
        ("multi_label", ["x", "x|y", "y|z"], "x|y"),
        ("multi_label", ["", ""], ""),
        ("regression", ["1.0", "2.0"], "1.5"),
    ],
)
def test_votes_are_merged_as_the_problem_wants(problem: str, votes: list[str], gold: str) -> None:
    assert merged(votes, problem=problem, labels=["x", "y", "z"], otherwise="z") == gold
