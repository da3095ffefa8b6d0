"""All that the gate knows of the variants, and what it concludes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.acceptance import requirements as rules
from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.requirements import Check
from pipeline.acceptance.teacher_comparison import difference_interval, quality_interval
from pipeline.core.product import Requirements
from pipeline.core.variants import TEACHER, Variant
from pipeline.metrics.intervals import Interval
from pipeline.metrics.quality import ROW_SCORES

Entries = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Evidence:
    """What earlier stages found.

    Attributes:
        evaluated: entries of variants.json by variant.
        measured: entries of latency.json by variant.
        validation: each variant's answers on validation; the gate's decisions read no others.
        certificates: of each variant, all that it needs; None for one that is missing.
        licences: licence of each source and checkpoint by name.
        data_report: validate's report.
    """

    evaluated: Entries
    measured: Entries
    validation: Mapping[str, Judged]
    certificates: Mapping[str, Sequence[Mapping[str, Any] | None]]
    licences: Mapping[str, str]
    data_report: Mapping[str, Any]


def check_variant(
    name: str, evidence: Evidence, limits: Requirements, *, judge: Judge
) -> list[Check]:
    """Every requirement, on one variant."""
    evaluated, found = evidence.evaluated[name], evidence.validation[name]
    gained = difference_interval(found, evidence.validation[TEACHER], judge)
    drop = Interval(-gained.value, -gained.high, -gained.low)
    quality, unit = quality_interval(found, judge), judge.metric
    return [
        rules.at_least("min_quality", quality, limits.min_quality, unit=unit),
        rules.at_most("max_quality_drop", drop, limits.max_quality_drop, unit=unit),
        rules.check_slices(
            evaluated["slices"], limits.max_slice_gap, unit=ROW_SCORES[judge.problem]
        ),
        *rules.check_answered(evaluated["answered"]),
        *rules.check_costs(evaluated["size_bytes"], evidence.measured[name], limits),
        rules.check_licences(evidence.licences, limits),
        rules.check_certificates(evidence.certificates[name]),
        rules.check_data(evidence.data_report),
    ]


def choose(
    qualified: Sequence[Variant], evidence: Evidence, *, judge: Judge
) -> tuple[Variant, str]:
    """The smallest variant that is not significantly worse than the best, and why."""
    metric = judge.metric

    def value(variant: Variant) -> float:
        return float(evidence.evaluated[variant.name]["quality"]["validation"][metric])

    def size(variant: Variant) -> int:
        return int(evidence.evaluated[variant.name]["size_bytes"])

    best = max(qualified, key=lambda variant: (value(variant), -size(variant)))
    differences = {
        variant: difference_interval(
            evidence.validation[variant.name], evidence.validation[best.name], judge
        )
        for variant in qualified
    }
    equal = [variant for variant in qualified if differences[variant].high >= 0]
    chosen = min(equal, key=lambda variant: (size(variant), -value(variant)))
    found = differences[chosen]
    if chosen == best:
        return (
            chosen,
            f"{best.name} has the best {metric} of those that qualify, and no smaller one equals it",
        )
    reason = (
        f"{chosen.name} is the smallest whose {metric} is not significantly worse than that of "
        f"{best.name}, the best that qualifies: {found.value:+.3f}, interval "
        f"{found.low:+.3f} to {found.high:+.3f}"
    )
    return chosen, reason


def explain(checks: Sequence[Check], reason: str) -> str:
    """The reason, and in plain words which checks the rows could not settle."""
    open_ones = [check for check in checks if check.outcome == "inconclusive"]
    if not open_ones:
        return f"{reason}. Every check has passed."
    named = "; ".join(
        f"{c.name} is {c.value:.3f} (limit {c.limit:g}, interval {c.interval[0]:.3f} to "
        f"{c.interval[1]:.3f})"
        for c in open_ones
        if c.interval is not None
    )
    return f"{reason}. Inconclusive on these rows, the interval spans the limit: {named}."
