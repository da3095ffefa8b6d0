"""Checks the product's requirements for each variant; the error when none qualifies.

The rule:

- A figure with an interval (quality, quality drop, slice gap) is `inconclusive` when its interval
  spans the limit: these rows cannot tell which side the true figure is on. Otherwise it has
  `passed` or `failed`. A figure without an interval (time, size, memory, counts) has passed or
  failed.
- A variant qualifies when no figure is on the wrong side of its limit. An inconclusive check whose
  figure is on the right side does not stop a variant, and the verdict names it.
- Slices are small and many, and the worst of many noisy gaps is large by chance alone: a slice gap
  stops a variant only when its whole interval is over the limit.
- Of the variants that qualify, the smallest is released whose quality is not significantly worse
  than the best one's: the paired interval of the difference is not wholly below zero.
- All of this looks at validation rows. Test rows decide nothing.
"""

from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.certificates import OperatorCertificate, ParityCertificate
from pipeline.core.artifacts.data_reports import DataReport
from pipeline.core.artifacts.variant_reports import Answered, BySplit, SliceReport, Timing
from pipeline.core.artifacts.verdicts import Check, Outcome
from pipeline.core.errors import RequirementsMissedError
from pipeline.core.product import Requirements
from pipeline.metrics.intervals import Interval


def at_least(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """Checks a figure with an interval that must not be lower than the limit."""
    outcome: Outcome = "inconclusive"
    if found.low >= limit:
        outcome = "passed"
    elif found.high < limit:
        outcome = "failed"
    return _check(name, found, limit, unit=unit, outcome=outcome)


def at_most(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """Checks a figure with an interval that must not be higher than the limit."""
    outcome: Outcome = "inconclusive"
    if found.high <= limit:
        outcome = "passed"
    elif found.low > limit:
        outcome = "failed"
    return _check(name, found, limit, unit=unit, outcome=outcome)


def _check(name: str, found: Interval, limit: float, *, unit: str, outcome: Outcome) -> Check:
    return Check(
        name=name,
        limit=limit,
        value=found.value,
        interval=found.as_list(),
        unit=unit,
        outcome=outcome,
    )


def exactly_at_most(name: str, value: float | None, limit: float, *, unit: str) -> Check:
    """Checks a figure without an interval; one that was not measured has failed."""
    passed = value is not None and value <= limit
    return Check(
        name=name,
        limit=limit,
        value=value,
        interval=None,
        unit=unit,
        outcome="passed" if passed else "failed",
    )


def check_slices(slices: Sequence[SliceReport], limit: float, *, unit: str) -> Check:
    """Checks the slice that most surely falls behind: the one with the highest low end."""
    gaps = [
        (part.name, Interval(part.gap, *part.interval))
        for part in slices
        if part.gap is not None and part.interval is not None
    ]
    if not gaps:
        return exactly_at_most(
            "max_slice_gap", 0.0, limit, unit=f"{unit}, no slice is large enough"
        )
    name, gap = max(gaps, key=lambda found: found[1].low)
    return at_most(f"max_slice_gap: {name}", gap, limit, unit=unit)


def check_costs(
    size_bytes: int | None, measured: Timing, requirements: Requirements
) -> list[Check]:
    """Checks time, size and memory of one variant."""
    size = None if size_bytes is None else size_bytes / 1e6
    p95, memory = measured.latency_ms.p95, measured.memory_mb
    return [
        exactly_at_most("latency_p95_ms", p95, requirements.latency_p95_ms, unit="ms"),
        exactly_at_most("size_mb", size, requirements.size_mb, unit="MB (10⁶ bytes)"),
        exactly_at_most("memory_mb", memory, requirements.memory_mb, unit="MB (10⁶ bytes)"),
    ]


def check_licences(licences: Mapping[str, str], requirements: Requirements) -> Check:
    """Counts the sources and checkpoints whose licence is neither allowed nor waived."""
    bad = [
        name
        for name, licence in licences.items()
        if licence not in requirements.allowed_licences and name not in requirements.licence_waivers
    ]
    return exactly_at_most("licences", len(bad), 0, unit="neither allowed nor waived")


def check_answered(answered: BySplit[Answered] | None) -> list[Check]:
    """Checks that a model that may abstain answers something; empty where it may not abstain."""
    if answered is None:
        return []
    share = answered.validation.share
    check = exactly_at_most("abstains", 1 - share, 1, unit="share of rows")
    return [check if share else check.model_copy(update={"outcome": "failed"})]


def check_data(report: DataReport) -> Check:
    """Checks the share of labelled rows that validate rejected."""
    share = 1 - report.labelled.rows_out / report.labelled.rows_in
    limit = report.limits.max_reject_share
    return exactly_at_most("data_reject_share", share, limit, unit="share of rows")


def check_certificates(
    certificates: Sequence[ParityCertificate | OperatorCertificate | None],
) -> Check:
    """Counts the certificates of a variant that are missing or have not passed."""
    bad = sum(found is None or not found.passed for found in certificates)
    return exactly_at_most("certificates", bad, 0, unit="missing or not passed")


def qualifies(checks: Sequence[Check]) -> bool:
    """Whether a variant may be released."""
    return not any(check.fails_requirement for check in checks)


def nothing_qualifies(checks: Mapping[str, Sequence[Check]]) -> RequirementsMissedError:
    """The error that says, for each variant, what fell short and by how much, nearest first."""
    missed = {
        name: [check for check in found if check.fails_requirement]
        for name, found in checks.items()
    }
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
    """Sum of the shortfalls, each as a share of its limit."""
    return sum(check.shortfall / (check.limit or 1.0) for check in checks)
