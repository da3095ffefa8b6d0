"""Suggestions with a planted pull, and without one: how often they are turned off, at one look and at many.

A person is right in 93 % of two-label rows, a model as often as it says, and half of the suggestions are in sight.
"""

import time

import numpy as np

from pipeline.annotation.suggestion_effect import suggestion_effect
from tests.support.planted_arms import planted_arms

_RUNS = 200
_LABELS = 2000
_PULLS = (0.04, 0.08)
_MANY = 10_000


def measure() -> dict[str, float]:
    """Returns runs in percent in which suggestions are turned off; width of the interval; seconds a look."""
    figures: dict[str, float] = {}
    for pull in _PULLS:
        found = [suggestion_effect(planted_arms(_LABELS, pull=pull, seed=s)) for s in range(_RUNS)]
        off = [effect.verdict == "turn off" for effect in found]
        figures[f"found_percent_of_{100 * pull:.0f}_points"] = 100 * float(np.mean(off))
    widths = [effect.agreement.high - effect.agreement.low for effect in found if effect.agreement]
    once, ever, seconds = 0, 0, []
    for seed in range(_RUNS):
        votes = planted_arms(_MANY, pull=0.0, seed=seed)
        once += suggestion_effect(votes[:_LABELS]).verdict == "turn off"
        ever += any(suggestion_effect(votes[:count]).verdict == "turn off" for count in _looks())
        started = time.perf_counter()
        suggestion_effect(votes)
        seconds.append(time.perf_counter() - started)
    return {
        **figures,
        "interval_points": 100 * float(np.mean(widths)),
        "false_alarms_percent": 100 * once / _RUNS,
        "false_alarms_at_any_look_percent": 100 * ever / _RUNS,
        "looks": float(len(_looks())),
        "seconds_a_look_at_10000": float(np.median(seconds)),
    }


def _looks() -> list[int]:
    """Counts of labels at which somebody looks: each 100 at first, each quarter more later."""
    looks = [100]
    while looks[-1] < _MANY:
        looks.append(min(max(looks[-1] + 100, round(1.25 * looks[-1])), _MANY))
    return looks
