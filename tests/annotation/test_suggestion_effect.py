"""What suggestions do to answers: a planted pull is found, no pull is not, and looking often does no harm."""

import numpy as np
import pytest

from pipeline.annotation.events import Arm, Event, Kept, Kind, Suggestion
from pipeline.annotation.suggestion_effect import ArmVote, arm_votes, suggestion_effect
from tests.support.planted_arms import planted_arms


def test_a_pull_of_eight_points_is_found_at_two_thousand_labels() -> None:
    found = [suggestion_effect(planted_arms(2000, pull=0.08, seed=seed)) for seed in range(40)]
    assert sum(effect.verdict == "turn off" for effect in found) >= 36
    values = [effect.agreement.value for effect in found if effect.agreement]
    assert np.mean(values) == pytest.approx(0.08, abs=0.01)


def test_without_a_pull_no_look_at_the_labels_so_far_turns_them_off() -> None:
    """Each run is looked at after each 250 labels, as a board would be."""
    alarms = 0
    for seed in range(20):
        votes = planted_arms(2000, pull=0.0, seed=seed)
        looks = [suggestion_effect(votes[:count]) for count in range(250, 2001, 250)]
        alarms += any(effect.verdict == "turn off" for effect in looks)
    assert alarms <= 1


def test_errors_that_suggestions_bring_turn_them_off_too() -> None:
    votes = [
        ArmVote(shown=shown, agrees=True, p=0.9, wrong=shown and number % 5 == 0)
        for number in range(1000)
        for shown in (True, False)
    ]
    effect = suggestion_effect(votes)
    assert effect.agreement is not None
    assert effect.agreement.value == 0
    assert effect.error is not None
    assert effect.error.value == pytest.approx(0.2)
    assert effect.verdict == "turn off"


def test_the_time_is_a_ratio_of_medians_with_an_interval() -> None:
    chance = np.random.default_rng(1)
    votes = [
        ArmVote(shown=shown, agrees=True, p=0.9, seconds=(2.0 if shown else 4.0) * float(spread))
        for shown in (True, False)
        for spread in np.exp(chance.normal(0, 0.5, 400))
    ]
    ratio = suggestion_effect(votes).time_ratio
    assert ratio is not None
    assert ratio.low < 0.5 < ratio.high
    assert ratio.high - ratio.low < 0.15


@pytest.mark.parametrize("count", [0, 1, 99], ids=["nothing", "one label", "few labels"])
def test_of_few_labels_nothing_is_known(count: int) -> None:
    votes = [ArmVote(shown=number % 2 == 0, agrees=True, p=0.5) for number in range(count)]
    effect = suggestion_effect(votes)
    assert (effect.agreement, effect.error, effect.time_ratio) == (None, None, None)
    assert effect.verdict == "not known yet"


def test_a_narrow_interval_below_the_limit_keeps_them() -> None:
    votes = [
        ArmVote(shown=number % 2 == 0, agrees=number % 100 > 1, p=0.9) for number in range(20_000)
    ]
    assert suggestion_effect(votes).verdict == "keep"


def _kept(person: str, row: str, label: str, *, event: Kind = "vote", arm: Arm | None) -> Kept:
    suggestion = Suggestion(label="a", p=0.8, model="m") if arm else None
    labels = () if event == "skip" else (label,)
    given = Event(
        uid=f"{person}{row}", event=event, row=row, labels=labels, arm=arm, suggestion=suggestion
    )
    return Kept(event=given, seq=1, person=person, text_sha=None, time="")


def test_labels_are_held_against_adjudicated_ones_or_those_of_people_who_saw_nothing() -> None:
    people = {
        "p1": [
            _kept("p1", "r1", "a", arm="shown"),
            _kept("p1", "r2", "a", arm="hidden"),
            _kept("p1", "r3", "b", arm="shown"),
            _kept("p1", "r4", "a", arm=None),
            _kept("p1", "r5", "a", event="skip", arm="shown"),
        ],
        "p2": [
            _kept("p2", "r1", "b", arm="hidden"),
            _kept("p2", "r2", "a", arm="shown"),
            _kept("p2", "r3", "a", arm=None),
        ],
        "p3": [_kept("p3", "r3", "b", event="adjudicate", arm=None)],
    }
    votes = arm_votes(people)
    assert [(vote.shown, vote.agrees, vote.wrong) for vote in votes] == [
        (True, True, True),
        (False, True, None),  # the other one saw the suggestion
        (True, False, False),
        (False, False, None),
        (True, True, False),
    ]
