"""Checks the product's requirements for each variant; the error when none qualifies.

The rule:

- A figure with an interval (quality, quality drop, slice gap) is `inconclusive` when its interval
  spans the limit: these rows cannot tell which side the true figure is on. Otherwise it has
  `passed` or `failed`. A figure without an interval (time, size, memory, counts) has passed or
  failed.
- A variant qualifies when no figure is on the wrong side of its limit. An inconclusive check whose
  figure is on the right side does not stop a variant, and the verdict names it.
- Slices are small and many, and the worst of many noisy gaps is large by chance alone: a slice gap
  stops a variant only when its whole interval is over the limit. So does a swap gap.
- Of the variants that qualify, the smallest is released whose quality is not significantly worse
  than the best one's: the paired interval of the difference is not wholly below zero.
- All of this looks at validation rows. Test rows decide nothing.
"""

from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.variant_reports import Answered, BySplit, SliceReport, SwapReport
from pipeline.core.artifacts.verdicts import Check
from pipeline.core.errors import RequirementsMissedError
from pipeline.metrics.intervals import Interval


def at_least(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """Checks a figure with an interval that must not be lower than the limit."""
    passed, failed = found.low >= limit, found.high < limit
    return _check(name, found, limit, unit=unit, passed=passed, failed=failed)


def at_most(name: str, found: Interval, limit: float, *, unit: str) -> Check:
    """Checks a figure with an interval that must not be higher than the limit."""
    passed, failed = found.high <= limit, found.low > limit
    return _check(name, found, limit, unit=unit, passed=passed, failed=failed)


def _check(
    name: str, found: Interval, limit: float, *, unit: str, passed: bool, failed: bool
) -> Check:
    return Check(
        name=name,
        limit=limit,
        value=found.value,
        interval=found.as_list(),
        unit=unit,
        outcome="passed" if passed else "failed" if failed else "inconclusive",
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
    return _check_surest("max_slice_gap", slices, limit, unit=unit, none="no slice is large enough")


def check_swaps(swaps: Sequence[SwapReport], limit: float, *, unit: str) -> Check:
    """Checks the kind of groups whose exchange most surely changes answers."""
    none = "too few such texts"
    return _check_surest("max_swap_gap", swaps, limit, unit=unit, none=none)


def _check_surest(
    requirement: str,
    parts: Sequence[SliceReport] | Sequence[SwapReport],
    limit: float,
    *,
    unit: str,
    none: str,
) -> Check:
    """Checks the gap with the highest low end.

    Args:
        none: what to say where no part has a gap.
    """
    gaps = [
        (part.name, Interval(part.gap, *part.interval))
        for part in parts
        if part.gap is not None and part.interval is not None
    ]
    if not gaps:
        return exactly_at_most(requirement, 0.0, limit, unit=f"not measured: {none}")
    name, gap = max(gaps, key=lambda found: found[1].low)
    return at_most(f"{requirement}: {name}", gap, limit, unit=unit)


def check_answered(answered: BySplit[Answered] | None) -> list[Check]:
    """Checks that a model that may abstain answers something; empty where it may not abstain."""
    if answered is None:
        return []
    share = answered.validation.share
    check = exactly_at_most("abstains", 1 - share, 1, unit="share of rows")
    return [check if share else check.model_copy(update={"outcome": "failed"})]


def qualifies(checks: Sequence[Check]) -> bool:
    """Whether a variant may be released."""
    return not any(check.fails_requirement for check in checks)


def nothing_qualifies(checks: Mapping[str, Sequence[Check]]) -> RequirementsMissedError:
    """The error that says, for each variant, what fell short and by how much, nearest first."""
    missed = {
        name: [check for check in found if check.fails_requirement]
        for name, found in checks.items()
    }

    def distance(name: str) -> tuple[int, float]:
        # Each shortfall as a share of its limit.
        shares = [check.shortfall / (check.limit or 1.0) for check in missed[name]]
        return len(shares), sum(shares)

    order = sorted(missed, key=distance)
    lines = [f"{'variant':<14} {'requirement':<34} {'limit':>8} {'found':>8} {'short by':>9}"]
    for name in order:
        for i, check in enumerate(missed[name]):
            value = "none" if check.value is None else f"{check.value:.4g}"
            short = "" if check.value is None else f"{check.shortfall:.3g}"
            lines.append(
                f"{'' if i else name:<14} {check.name:<34} {check.limit:>8.4g} {value:>8} "
                f"{short:>9} {check.unit}"
            )
    nearest = order[0]
    names = sorted({check.name.split(":")[0] for check in missed[nearest]})
    return RequirementsMissedError(
        "no ONNX variant meets the product's requirements (nearest first):\n    "
        + "\n    ".join(lines),
        expected="at least one variant with every figure on the right side of product.requirements",
        next_step=f"{nearest} is nearest: improve its {', '.join(names)} (a larger or better-trained student "
        "for quality, a smaller one for time and size), or agree on other product.requirements",
        nearest=nearest,
        missed=tuple(names),
    )
