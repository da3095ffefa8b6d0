"""How the benchmark of training reads a race."""

import math

import pytest

from benchmarks.training import times_faster


def test_a_ratio_is_of_their_seconds_to_ours() -> None:
    assert times_faster(50.0, 75.0) == pytest.approx(1.5)


def test_who_never_reaches_the_goal_is_not_faster() -> None:
    assert times_faster(math.inf, 75.0) == 0.0
    assert times_faster(math.inf, math.inf) == 0.0


def test_a_peer_that_never_reaches_it_gives_no_ratio() -> None:
    assert times_faster(50.0, math.inf) is None
