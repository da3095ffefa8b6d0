"""What the product requires, checked variant by variant, and the choice among those that meet it.

The rule:

- A figure with an interval (quality, quality drop, slice gap) is `inconclusive` when its interval
  spans the limit: these rows cannot tell which side the true figure lies on. Else it has `passed` or
  `failed`. A figure without an interval (time, size, memory, counts) has passed or failed.
- A variant qualifies when no figure lies on the wrong side of its limit. An inconclusive check whose
  figure lies on the right side does not bar a variant, and the verdict names it.
- Slices are small and many, and the worst of many noisy gaps is large by chance alone: a slice gap
  bars a variant only when its whole interval is over the limit.
- Of the variants that qualify, the smallest is released whose quality is not significantly worse
  than the best one's: the paired interval of the difference does not lie wholly below zero.
- All of this looks at validation rows. Test rows decide nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pipeline.core.errors import RequirementsMissedError
from pipeline.core.product import Requirements
from pipeline.metrics.intervals import Interval

Outcome = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True)
class Check:
    """One requirement and what was found.

    Attributes:
        limit: the requirement.
        value: what was found; None where there was nothing to measure.
        interval: `[low, high]` of the value, or None for an exact figure.
    """

    name: str
    limit: float
    value: float | None
    interval: list[float] | None
    unit: str
    outcome: Outcome

    def as_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return asdict(self)

    @property
    def bars(self) -> bool:
        """Whether a variant with this check must not be released."""
        if self.outcome != "inconclusive" or self.name.startswith("max_slice_gap"):
            return self.outcome == "failed"
        return self.shortfall > 0

    @property
    def shortfall(self) -> float:
        """How far the value lies on the wrong side, in the check's unit; 0 on the right side."""
        if self.value is None:
            return float("inf")
        at_least = self.name == "min_quality"
        return max(self.limit - self.value if at_least else self.value - self.limit, 0.0)


def at_least(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """A figure with an interval that must not be lower than the limit."""
    outcome: Outcome = "inconclusive"
    if found.low >= limit:
        outcome = "passed"
    elif found.high < limit:
        outcome = "failed"
    return Check(name, limit, found.value, found.as_list(), unit, outcome)


def at_most(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """A figure with an interval that must not be higher than the limit."""
    outcome: Outcome = "inconclusive"
    if found.high <= limit:
        outcome = "passed"
    elif found.low > limit:
        outcome = "failed"
    return Check(name, limit, found.value, found.as_list(), unit, outcome)


def exactly_at_most(name: str, value: float | None, limit: float, *, unit: str) -> Check:
    """A figure without an interval; one that was not measured has failed."""
    passed = value is not None and value <= limit
    return Check(name, limit, value, None, unit, "passed" if passed else "failed")


def check_slices(slices: Sequence[Mapping[str, Any]], limit: float, *, unit: str) -> Check:
    """The slice that most surely falls behind: the highest low end."""
    known = [entry for entry in slices if entry["gap"] is not None]
    if not known:
        return Check(
            "max_slice_gap", limit, 0.0, None, f"{unit}, no slice is large enough", "passed"
        )
    worst = max(known, key=lambda entry: entry["interval"][0])
    found = Interval(worst["gap"], *worst["interval"])
    return at_most(f"max_slice_gap: {worst['name']}", found, limit, unit=unit)


def check_costs(
    size_bytes: int, measured: Mapping[str, Any], requirements: Requirements
) -> list[Check]:
    """Time, size and memory of one variant."""
    p95, memory = measured["latency_ms"]["p95"], measured["memory_mb"]
    return [
        exactly_at_most("latency_p95_ms", p95, requirements.latency_p95_ms, unit="ms"),
        exactly_at_most("size_mb", size_bytes / 1e6, requirements.size_mb, unit="MB (10⁶ bytes)"),
        exactly_at_most("memory_mb", memory, requirements.memory_mb, unit="MB (10⁶ bytes)"),
    ]


def check_licences(licences: Mapping[str, str], requirements: Requirements) -> Check:
    """How many sources and checkpoints are neither allowed nor waived by name."""
    bad = [
        name
        for name, licence in licences.items()
        if licence not in requirements.allowed_licences and name not in requirements.licence_waivers
    ]
    return exactly_at_most("licences", len(bad), 0, unit="neither allowed nor waived")


def check_answered(answered: Mapping[str, Any] | None) -> list[Check]:
    """A model that may abstain must answer something; nothing to check where it may not."""
    if answered is None:
        return []
    share = answered["validation"]["share"]
    check = exactly_at_most("abstains", 1 - share, 1, unit="share of rows")
    return [check if share else replace(check, outcome="failed")]


def check_data(report: Mapping[str, Any]) -> Check:
    """Share of labelled rows that validate rejected."""
    rows = report["labelled"]
    share = 1 - rows["rows_out"] / rows["rows_in"]
    limit = report["limits"]["max_reject_share"]
    return exactly_at_most("data_reject_share", share, limit, unit="share of rows")


def check_certificates(entries: Sequence[Mapping[str, Any] | None]) -> Check:
    """How many of a variant's certificates are missing or not passed."""
    bad = sum(entry is None or entry.get("passed") is not True for entry in entries)
    return exactly_at_most("certificates", bad, 0, unit="missing or not passed")


def qualifies(checks: Sequence[Check]) -> bool:
    """Whether a variant may be released."""
    return not any(check.bars for check in checks)


def nothing_qualifies(checks: Mapping[str, Sequence[Check]]) -> RequirementsMissedError:
    """The error that says, for each variant, what fell short and by how much, nearest first."""
    missed = {name: [check for check in found if check.bars] for name, found in checks.items()}
    order = sorted(missed, key=lambda name: (len(missed[name]), _distance(missed[name])))
    lines = [f"{'variant':<14} {'requirement':<34} {'limit':>8} {'found':>8} {'short by':>9}"]
    for name in order:
        for i, check in enumerate(missed[name]):
            lines.append(f"{name if i == 0 else '':<14} {_row(check)}")
    nearest = missed[order[0]]
    names = sorted({check.name.split(":")[0] for check in nearest})
    return RequirementsMissedError(
        "no ONNX variant meets the product's requirements (nearest first):\n    "
        + "\n    ".join(lines),
        expected="at least one variant with every figure on the right side of product.requirements",
        next_step=f"{order[0]} is nearest: improve its {', '.join(names)} (a larger or better-trained student "
        "for quality, a smaller one for time and size), or agree on other product.requirements",
        nearest=order[0],
        missed=tuple(names),
    )


def _row(check: Check) -> str:
    value = "none" if check.value is None else f"{check.value:.4g}"
    short = "" if check.value is None else f"{check.shortfall:.3g}"
    return f"{check.name:<34} {check.limit:>8.4g} {value:>8} {short:>9} {check.unit}"


def _distance(checks: Sequence[Check]) -> float:
    """Sum of the shortfalls, each in parts of its limit."""
    return sum(check.shortfall / (check.limit or 1.0) for check in checks)
