"""How fast people label, what is left until the goal, and labels over time."""

import numpy as np
import pytest

from pipeline.annotation.events import Kept
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.pace import Pace, cost_left, over_time, pace
from tests.support.answered import kept
from tests.support.labelling import row_id, vote

GOAL = LabelGoal(needed=900, low=700, high=1300)


def _votes(seconds: list[float | None]) -> list[Kept]:
    events = (vote(str(n), row_id(n), "question") for n in range(len(seconds)))
    timed = zip(events, seconds, strict=True)
    return [
        kept(n, "p1", event if time is None else event | {"seconds": time})
        for n, (event, time) in enumerate(timed)
    ]


def test_the_interval_of_the_median_holds_it_in_95_percent_of_samples() -> None:
    chance, median, held = np.random.default_rng(1), np.exp(1.0), 0
    for _ in range(400):
        found = pace(_votes([*chance.lognormal(1.0, 0.8, size=60)]))
        assert found is not None
        held += found.low <= median <= found.high
    assert 0.93 <= held / 400 <= 0.99


def test_an_answer_without_a_time_and_a_skip_do_not_count() -> None:
    skip = kept(9, "p1", {"uid": "s", "event": "skip", "row": row_id(1), "seconds": 50.0})
    found = pace([*_votes([2.0, None, 4.0]), skip])
    assert found == Pace(seconds=3.0, low=2.0, high=4.0, labels=2)
    assert pace(_votes([None])) is None
    assert pace([]) is None


def test_the_work_left_counts_the_rows_that_two_people_label() -> None:
    found = cost_left(
        GOAL, Pace(seconds=6.0, low=5.0, high=9.0, labels=80), labelled=300, double_share=0.2
    )
    assert found is not None
    assert found.rows == 600
    assert found.hours == pytest.approx(600 * 1.2 * 6 / 3600)
    assert found.low == pytest.approx(400 * 1.2 * 5 / 3600)
    assert found.high == pytest.approx(1000 * 1.2 * 9 / 3600)


def test_past_the_goal_no_work_is_left() -> None:
    found = cost_left(
        GOAL, Pace(seconds=6.0, low=5.0, high=9.0, labels=80), labelled=2000, double_share=0.2
    )
    assert found is not None
    assert (found.rows, found.hours, found.low, found.high) == (0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("goal", "labels"), [(None, 3), (GOAL, 0)], ids=["no goal", "no pace"])
def test_the_work_left_is_not_known_without_both(goal: LabelGoal | None, labels: int) -> None:
    found = pace(_votes([1.0] * labels))
    assert cost_left(goal, found, labelled=0, double_share=0.0) is None


def test_a_line_over_time_ends_with_all_labels_and_never_falls() -> None:
    points = over_time(_votes([1.0] * 200))
    assert len(points) == 48
    counts = [point["labels"] for point in points]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 200)
    assert points[0]["time"] == "2026-12-01T09:00:00Z"
    assert points[-1]["time"] == "2026-12-01T12:19:00Z"
    assert over_time(_votes([1.0])) == [{"time": "2026-12-01T09:00:00Z", "labels": 1}]
    assert over_time([]) == []
