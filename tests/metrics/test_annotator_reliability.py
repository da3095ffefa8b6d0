"""Reliability is what was planted, its interval holds it, and those who guess are named and nobody else."""

import numpy as np
import pytest

from pipeline.metrics.annotator_reliability import Annotator, annotators
from pipeline.metrics.merged_votes import explained
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support.planted_votes import LABELS, planted_votes


def people(
    votes: dict[str, dict[str, str]], *, problem: str = "classification", labels: list[str] = LABELS
) -> list[Annotator]:
    table = VoteTable.of(votes, problem=problem_named(problem), labels=labels)
    return annotators(table, explained(table))


def test_planted_spammers_are_named_and_nobody_else() -> None:
    for seed in range(3):
        planted = planted_votes(rows=2000, seed=seed)
        assert [p.name for p in people(planted.votes) if p.is_spammer] == planted.spammers


def test_few_votes_accuse_nobody_who_knows_something() -> None:
    for seed in range(15):
        planted = planted_votes(rows=60, spammers=2, seed=seed)
        named = {person.name for person in people(planted.votes) if person.is_spammer}
        assert named <= {*planted.spammers}


@pytest.mark.parametrize(("rows", "most"), [(2000, 0.08), (300, 0.25)])
def test_reliability_is_the_planted_share_of_rows_that_a_person_knows(
    rows: int, most: float
) -> None:
    """Who knows k of the rows and guesses the others is right on k + (1 − k) / 3: reliability k."""
    off, held = [], 0
    for seed in range(5):
        knows = np.random.default_rng(seed).uniform(0.55, 0.85, 20)  # as planted_votes draws it
        knows[:5] = 0.0
        for person, known in zip(
            people(planted_votes(rows=rows, seed=seed).votes), knows, strict=True
        ):
            assert person.reliability is not None
            off.append(person.reliability.value - known)
            held += person.reliability.low <= known <= person.reliability.high
    assert abs(np.mean(off)) < most / 5
    assert np.std(off) < most
    assert held / 100 > 0.88


def test_a_person_who_answers_always_the_same_has_no_reliability() -> None:
    planted = planted_votes(rows=1500, people=8, spammers=0)
    for row in planted.votes.values():
        row["lazy"] = "a"
    [lazy] = [person for person in people(planted.votes) if person.name == "lazy"]
    assert lazy.reliability is not None
    assert lazy.reliability.value == pytest.approx(0, abs=0.02)
    assert lazy.is_spammer


def test_whoever_shares_no_row_has_no_reliability() -> None:
    found = people({"r1": {"x": "a", "y": "a"}, "r2": {"z": "b"}})
    assert [(p.name, p.votes, p.shared) for p in found] == [("x", 1, 1), ("y", 1, 1), ("z", 1, 0)]
    assert found[2].reliability is None
    assert not found[2].is_spammer


def test_several_labels_have_their_mean_reliability() -> None:
    """Two people are right about both labels; the third is right about one and guesses the other."""
    chance = np.random.default_rng(1)
    votes = {}
    for row in range(800):
        a, b, guess = chance.random(3) < 0.5
        right = "|".join(label for label, has in (("a", a), ("b", b)) if has)
        half = "|".join(label for label, has in (("a", a), ("b", guess)) if has)
        votes[f"{row:04}"] = {"x": right, "y": right, "z": half}
    found = people(votes, problem="multi_label", labels=["a", "b"])
    reliabilities = [person.reliability.value for person in found if person.reliability]
    assert reliabilities == pytest.approx([1, 1, 0.5], abs=0.06)
