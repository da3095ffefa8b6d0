"""A hundred days of a daily schedule: every ending and every reason, in record, ledger and `why`."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.execution.runner import StageFailedError
from flows.planning.resolution import Variation
from flows.planning.retrain_plan import Order
from flows.retrain import run_retrain
from flows.why import as_text, last_runs
from pipeline.core.errors import DataError, LabelsNeededError
from pipeline.core.failure import StageFailure
from pipeline.core.files import write_json
from pipeline.monitoring.decide import Comparison
from pipeline.release import ledger
from pipeline.release.state import ReleaseState
from tests.support.example_artifacts import check, verdict
from tests.support.retraining import PRODUCT, Made, make_project, measured, new_rows
from tests.support.tiny_bundle import make_tiny_bundle

DAILY = "daily schedule"
BETTER = "Shown to be better, released. Changed: "
LIKELY = "Likely no more than 1 point worse (the loss budget is spent by this), released. Changed: "
SPENT = "The loss budget is spent, and not shown to be no more than 1 point worse, champion stays."
UNCHANGED = "nothing changed, champion stays"
LIMIT = check("min_quality", value=0.6, limit=0.78, outcome="failed")
Figures = Callable[..., list[Comparison]]

WORSE, EVEN = measured(-0.03, 0.01), measured(0.0, 0.013)
SOME, LARGE = measured(0.005, 0.013), measured(0.08, 0.01)


@dataclass(kw_only=True)
class Day:
    """What happens on a day, and how its retraining has to end."""

    ending: str = "unchanged"
    begins: str = UNCHANGED
    rows: str = ""
    figures: Figures = EVEN
    reason: str = DAILY
    order: dict[str, Any] = field(default_factory=dict)
    happens: str = ""


def kept(begins: str, **more: Any) -> Day:
    return Day(ending="kept", begins=begins, **more)


def released(begins: str, **more: Any) -> Day:
    return Day(ending="released", begins=begins, **more)


NIGHTS: dict[int, Day] = {
    0: released("There was no champion yet: first release.", happens="no champion"),
    10: released(f"{BETTER}sources.", rows="ten,1", figures=LARGE),
    20: kept("Worse, champion stays. Changed: sources.", rows="twenty,1", figures=WORSE),
    21: kept("Worse, champion stays. Changed: sources.", figures=WORSE),
    22: kept("Worse, champion stays. Changed: sources.", figures=WORSE),
    23: Day(rows="ten,1"),
    25: kept("Not likely enough to be no more than 1 point worse, champion stays.", rows="x,1"),
    26: Day(rows="ten,1"),
    30: released(f"{LIKELY}sources.", rows="thirty,1", figures=SOME),
    40: kept(SPENT, rows="forty,1", figures=SOME),
    41: kept(SPENT, figures=measured(0.02, 0.013)),
    42: released(f"{BETTER}sources.", figures=LARGE),
    45: released(f"{LIKELY}sources.", rows="forty-five,1", figures=SOME),
    46: kept(SPENT, rows="forty-six,1", figures=SOME),
    47: released(f"{LIKELY}sources.", figures=SOME, order={"accept_champion": True}),
    50: kept(
        "It is not known which rows the champion was trained on", happens="by hand, elsewhere"
    ),
    51: released(f"{BETTER}unknown.", figures=LARGE, happens="its rows are known"),
    55: Day(
        ending="failed", begins="reviews.csv is empty; next: bring", rows="e,1", happens="failure"
    ),
    56: Day(ending="cancelled", begins="stopped", happens="stop"),
    57: kept(
        "The gate did not pass the new model, champion stays. min_quality: 0.6", happens="gate"
    ),
    58: released(f"{BETTER}sources.", figures=LARGE),
    59: Day(
        ending="labels needed",
        begins="none of 9 rows has a label: champion stays. Next: annotate",
        rows="unlabelled,",
        happens="no labels",
    ),
    65: Day(reason=f"{DAILY}, 5 missed", rows="e,1"),
    70: released(f"{BETTER}sources.", rows="s,1", figures=LARGE, order={"key": "export 7"}),
    71: Day(ending="done before", order={"key": "export 7"}),
    80: released(
        f"{BETTER}parameters.",
        figures=LARGE,
        reason="by hand",
        order={"variation": Variation(changes=["finetune.epochs=9"])},
    ),
    90: released(f"{BETTER}sources.", rows="n,1", figures=LARGE, happens="somebody is quicker"),
}
OFF = range(60, 65)
"""Days on which the machine is off."""


class Hundred:
    """The project over a hundred days."""

    def __init__(self, root: Path) -> None:
        self.made, self.state = Made(make_project(root)), ReleaseState(root, PRODUCT)
        self.others = 0

    def ran(self, number: int, day: Day) -> tuple[str, str]:
        """The ending of the day's retraining and its reason; `done before` where nothing ran."""
        made, happens = self.made, day.happens
        made.seed, made.figures = 100 + number, day.figures
        made.verdict = verdict(LIMIT, passed=False) if happens == "gate" else verdict()
        made.before_release = self.quicker if happens == "somebody is quicker" else lambda: None
        if happens == "no champion":
            self.state.point_back_to(None)
        if happens == "by hand, elsewhere":
            self.by_hand()
        if happens == "its rows are known":
            write_json(self.state.rows(str(self.state.current())), {"ids": [], "clusters": []})
        if day.rows:
            new_rows(made.root, day.rows)
        work = replace(made.work, build=_failing(happens)) if _failing(happens) else made.work
        with suppress(DataError, KeyboardInterrupt):
            order = Order(reason=day.reason, working_tree=True, **day.order)
            if (end := run_retrain(made.root, order, work=work)).ending == "done before":
                return "done before", end.reason
        run = last_runs(made.root, count=1)[0]
        assert run.reason == day.reason
        return run.end, run.why

    def by_hand(self) -> str:
        """Somebody puts a model into production; which rows it saw is not known."""
        self.others += 1
        folder = self.made.root / f"other-{self.others}"
        name = make_tiny_bundle(folder, seed=50 + self.others)
        shutil.copytree(folder, self.state.release(name))
        self.state.point_to(name)
        return name

    def quicker(self) -> None:
        self.made.before_release = lambda: None
        write_json(self.state.rows(self.by_hand()), {"ids": [], "clusters": []})


def _failing(happens: str) -> Callable[..., Any] | None:
    def build(*_: Any, **__: Any) -> Any:
        if happens == "stop":
            raise KeyboardInterrupt
        if happens == "no labels":
            answer = LabelsNeededError(
                "none of 9 rows has a label", expected="some", next_step="annotate: about 9 labels"
            )
            raise StageFailedError(StageFailure.of("label", answer), log=Path("label.log"))
        raise DataError("reviews.csv is empty", expected="rows", next_step="bring them")

    return build if happens in ("failure", "no labels", "stop") else None


def test_a_hundred_days_of_schedule_end_as_they_should_and_say_why(tmp_path: Path) -> None:
    hundred = Hundred(tmp_path)
    days = [number for number in range(100) if number not in OFF]
    told = {}
    for number in days:
        day, before = NIGHTS.get(number, Day()), hundred.state.current()
        ending, why = hundred.ran(number, day)
        assert ending == day.ending, (number, why)
        assert why.startswith(day.begins) or ending == "done before", (number, why)
        if ending in (
            "kept",
            "failed",
            "cancelled",
            "labels needed",
        ) and not day.happens.startswith("by hand"):
            assert hundred.state.current() == before, number
        told[number] = ending
    runs = last_runs(tmp_path, count=200)
    endings = [told[number] for number in days if told[number] != "done before"]
    assert [run.end for run in reversed(runs)] == endings
    entries = ledger.read(hundred.state.ledger)
    events = {"released": "promoted", "failed": "refused", "cancelled": "refused"}
    assert [e.event for e in entries] == [events.get(ending, "kept") for ending in endings]
    assert all(
        f"retrain ({run.reason}" in e.why for run, e in zip(reversed(runs), entries, strict=True)
    )
    assert all(run.changes == ["finetune.epochs=9"] for run in runs[:9])
    assert "daily schedule, 5 missed" in as_text(runs)
