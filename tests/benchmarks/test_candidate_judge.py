"""The judge's errors and its power, by simulation: what docs/guide/shadow.md promises."""

import pytest

from benchmarks.candidate_judge import as_line, figures_of, ratios_of
from benchmarks.support.judged_streams import KINDS, Tally, World, simulate
from pipeline.judge.judgement import JudgeLimits
from tests.support.repository import REPOSITORY

WORLD = World(failures=0.01, noise=0.15, other_labels=0.02)
PRINTED = {
    "2 times the latency": 50,
    "2 points more errors": 2_400,
    "3 points more other labels": 900,
    "less sure by 0.1": 50,
}
"""Kind of candidate → requests within which the guide says that it is found."""


def trials(name: str, *, simulations: int, requests: int, seed: int = 7) -> Tally:
    kind = KINDS[name]
    wrong = "promote" if kind.right == "roll back" else "roll back"
    return simulate(
        kind.make(WORLD),
        limits=JudgeLimits(),
        simulations=simulations,
        requests=requests,
        seed=seed,
        verdicts=(wrong,) if kind.alone else ("roll back", "promote"),
    )


def test_ten_requests_would_be_undecided_for_there_is_no_look_before_fifty() -> None:
    found = trials("2 times the latency", simulations=5, requests=49)
    assert found.share("undecided") == 1.0


def test_a_slow_candidate_is_found_at_the_first_look() -> None:
    found = trials("2 times the latency", simulations=40, requests=200)
    assert found.share("roll back") == 1.0
    assert found.within("roll back", 0.95) == 50


def test_a_verdict_that_fewer_had_has_no_number_of_requests() -> None:
    found = trials("equal", simulations=20, requests=100)
    assert found.within("promote", 0.95) is None


def test_the_same_seed_gives_the_same_trials() -> None:
    first, second = (
        trials("3 points more other labels", simulations=20, requests=600) for _ in range(2)
    )
    assert (first.requests == second.requests).all()
    assert (first.outcomes == second.outcomes).all()


def test_a_line_and_the_json_say_the_same() -> None:
    name = "2 times the latency"
    found = trials(name, simulations=20, requests=100)
    assert as_line(name, found, KINDS[name]).split()[-3:] == ["back", "by", "50"]
    assert ratios_of({name: found}) == {name: 1.0}
    assert figures_of({name: found}) == {name: {"right_by": 50, "promoted": 0.0}}


@pytest.mark.parametrize("name", PRINTED)
def test_the_guide_prints_these_numbers(name: str) -> None:
    lines = (REPOSITORY / "docs/guide/shadow.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"| {name}")]
    assert line.endswith(f"| {PRINTED[name]:,} |")


@pytest.mark.soak
@pytest.mark.parametrize("name", PRINTED)
def test_each_planted_fault_is_found_within_the_printed_number_of_requests(name: str) -> None:
    found = trials(name, simulations=2000, requests=PRINTED[name])
    assert found.share("roll back") >= 0.95
    assert found.share("promote") <= 0.05


@pytest.mark.soak
def test_equal_candidates_looked_at_every_fifty_requests_are_rolled_back_in_one_of_twenty_at_most() -> (
    None
):
    found = trials("equal, only alarms count", simulations=2000, requests=10_000)
    assert found.share("roll back") <= 0.05


@pytest.mark.soak
def test_what_is_worse_by_the_margin_is_promoted_in_one_of_twenty_at_most() -> None:
    found = trials("1 point, only promotions count", simulations=2000, requests=10_000)
    assert found.share("promote") <= 0.05
