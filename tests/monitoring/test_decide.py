"""The decision about a new model: case by case, and simulated over years of retraining."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.metrics.intervals import Interval
from pipeline.monitoring.decide import LIKELY, MARGIN, Comparison, decide

FIRST = "first"


def comparison(
    value: float, error: float, *, rows: int = 837, against: str = FIRST, former: float = 0.8
) -> Comparison:
    """A comparison with a model of quality `former`."""
    return Comparison(
        against=against,
        rows=rows,
        former=former,
        candidate=former + value,
        difference=Interval(value, value - 1.96 * error, value + 1.96 * error),
        error=error,
        metric="accuracy",
    )


@pytest.mark.parametrize(
    ("value", "error", "rows", "released", "words"),
    [
        (0.05, 0.01, 837, True, "Shown to be better, released"),
        (0.0, 0.002, 40_000, True, "Shown to be no more than 1 point worse, released"),
        (0.01, 0.013, 837, True, "the loss budget is spent by this"),
        (0.0, 0.013, 837, False, "Not likely enough to be no more than 1 point worse"),
        (-0.03, 0.01, 837, False, "Worse, champion stays"),
        (float("nan"), float("nan"), 837, False, "champion stays"),
        (0.08, 0.10, 12, False, "champion stays"),
        (0.0, 0.0, 12, False, "champion stays"),
        (0.0, 0.0, 837, True, "Shown to be no more than 1 point worse, released"),
    ],
)
def test_one_model_is_judged_by_what_its_rows_can_show(
    value: float, error: float, rows: int, released: bool, words: str
) -> None:
    decision = decide([comparison(value, error, rows=rows)], changed=["sources"])
    assert decision.release is released
    assert words in decision.reason
    assert "Changed: sources." in decision.reason


def test_a_spent_budget_asks_for_proof_against_every_model_of_the_guard() -> None:
    champion = comparison(0.02, 0.013, against="second", former=0.81)
    decision = decide([comparison(0.03, 0.013), champion], changed=["code"])
    assert not decision.release
    assert "The loss budget is spent" in decision.reason
    assert "of first on" in decision.reason
    assert "of second on" in decision.reason
    proven = [comparison(0.09, 0.013), comparison(0.08, 0.013, against="second", former=0.81)]
    assert decide(proven, changed=["code"]).release


def test_a_model_shown_to_be_better_renews_the_loss_budget() -> None:
    decision = decide(
        [comparison(0.06, 0.01), comparison(0.05, 0.01, against="second")], changed=[]
    )
    assert (decision.release, decision.guard) == (True, ())
    partly = [comparison(0.06, 0.01), comparison(0.035, 0.01, against="second")]
    assert decide(partly, changed=[]).guard == ("second",)
    assert decide([comparison(0.01, 0.013)], changed=[]).guard == (FIRST,)


def test_the_guard_stays_small_and_keeps_the_best() -> None:
    guard = [
        comparison(0.0, 0.0005, rows=500_000, against=f"m{number}", former=0.8 + number / 10_000)
        for number in range(9)
    ]
    assert decide(guard, changed=[]).guard == ("m4", "m5", "m6", "m7", "m8")


def test_a_reason_says_what_the_rows_can_see_and_how_many_it_takes() -> None:
    reason = decide([comparison(0.0, 0.0155)], changed=["sources"]).reason
    assert "a model truly 1 point worse passes in 20 %, one 2 points better in 86 %." in reason
    reason = decide([comparison(0.0, 0.0155, rows=200)], changed=["sources"]).reason
    assert "rows would let it in 80 %" not in reason
    reason = decide([comparison(0.0, 0.03, rows=200)], changed=["sources"]).reason
    assert "583 rows would let it in 80 %" in reason


@dataclass
class Years:
    """Retrainings without end, each answer of each model drawn.

    Two models differ on a share `discordant` of the rows; `quality` holds each model's true one.
    """

    rows: int
    discordant: float
    random: np.random.Generator
    quality: dict[str, float] = field(default_factory=lambda: {FIRST: 0.0})
    guard: tuple[str, ...] = (FIRST,)

    @property
    def champion(self) -> str:
        return self.guard[-1]

    def retrain(self, gain: float) -> bool:
        """Draws a model that is truly better than the champion by `gain`; whether it was released."""
        name, truth = f"model {len(self.quality)}", self.quality[self.champion] + gain
        decision = decide([self._look(truth, at) for at in self.guard], changed=["sources"])
        if decision.release:
            self.quality[name] = truth
            self.guard = (*decision.guard, name)
        return decision.release

    def _look(self, truth: float, against: str) -> Comparison:
        gain = truth - self.quality[against]
        differ = max(self.discordant, abs(gain))
        shares = [(differ + gain) / 2, (differ - gain) / 2, 1 - differ]
        won, lost, _ = self.random.multinomial(self.rows, shares)
        value = (won - lost) / self.rows
        error = float(np.sqrt(((won + lost) / self.rows - value**2) / self.rows))
        return comparison(value, error, rows=self.rows, against=against)


def histories(rows: int, count: int) -> Iterator[Years]:
    """Histories in which models differ on a tenth and on a fifth of the rows."""
    for discordant in (0.1, 0.2):
        for seed in range(count):
            yield Years(rows, discordant, np.random.default_rng([rows, seed]))


@pytest.mark.parametrize("rows", [837, 5_000, 20_000, 100_000])
def test_500_retrains_each_truly_half_a_point_worse_stay_within_a_point_of_the_best(
    rows: int,
) -> None:
    for years in histories(rows, count=4):
        for _ in range(500):
            years.retrain(-0.005)
        assert years.quality[years.champion] >= -MARGIN - 1e-9


@pytest.mark.parametrize("rows", [837, 20_000])
def test_a_gain_that_was_never_proven_is_not_lost_again(rows: int) -> None:
    for years in histories(rows, count=4):
        for number in range(200):
            years.retrain(0.005 if number < 20 else -0.005)
        best = max(years.quality.values())
        assert years.quality[years.champion] >= best - MARGIN - 1e-9


@pytest.mark.parametrize("discordant", [0.1, 0.2])
def test_a_model_two_points_better_on_837_rows_is_released_in_more_than_four_of_five(
    discordant: float,
) -> None:
    tries = [
        Years(837, discordant, np.random.default_rng(seed)).retrain(0.02) for seed in range(800)
    ]
    assert np.mean(tries) >= 0.8


@pytest.mark.parametrize("rows", [5, 12, 30, 100, 837, 20_000])
@pytest.mark.parametrize("discordant", [0.05, 0.1, 0.2])
def test_a_model_a_point_worse_passes_in_one_of_five_looks_at_most_however_few_the_rows(
    rows: int, discordant: float
) -> None:
    tries = [
        Years(rows, discordant, np.random.default_rng(seed)).retrain(-MARGIN) for seed in range(600)
    ]
    assert np.mean(tries) <= LIKELY + 0.035  # two standard errors of 600 draws


@pytest.mark.soak
@pytest.mark.parametrize("rows", [837, 5_000, 20_000, 100_000])
def test_ten_years_of_weekly_retraining_a_hundred_times_over(rows: int) -> None:
    for years in histories(rows, count=50):
        for _ in range(500):
            years.retrain(-0.005)
        assert years.quality[years.champion] >= -MARGIN - 1e-9
