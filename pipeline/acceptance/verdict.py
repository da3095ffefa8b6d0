"""Evidence on the variants, and the verdict that the gate reaches from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.requirements import (
    at_least,
    at_most,
    check_answered,
    check_slices,
    check_swaps,
    exactly_at_most,
)
from pipeline.acceptance.teacher_comparison import difference_interval, quality_interval
from pipeline.core.artifacts.certificates import OperatorCertificate, ParityCertificate
from pipeline.core.artifacts.data_reports import DataReport
from pipeline.core.artifacts.variant_reports import Timing, VariantReport
from pipeline.core.artifacts.verdicts import Check
from pipeline.core.licences import is_allowed
from pipeline.core.product import Requirements
from pipeline.core.variants import TEACHER, Variant
from pipeline.metrics.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Results of the earlier stages: by variant, by model (exported, quantized), and of the data.

    Attributes:
        validation: variant → its answers on validation; the gate's decisions read no other rows.
        licences: source or checkpoint → its licence.
    """

    evaluated: Mapping[str, VariantReport]
    measured: Mapping[str, Timing]
    validation: Mapping[str, Judged]
    exported: Mapping[str, ParityCertificate]
    quantized: Mapping[str, OperatorCertificate]
    licences: Mapping[str, str]
    data_report: DataReport


def check_variant(
    variant: Variant, evidence: Evidence, limits: Requirements, *, judge: Judge
) -> list[Check]:
    """Checks every requirement on one variant."""
    name, unit = variant.name, judge.metric
    evaluated, found = evidence.evaluated[name], evidence.validation[name]
    measured, data = evidence.measured[name], evidence.data_report
    gained = difference_interval(found, evidence.validation[TEACHER], judge)
    drop = Interval(-gained.value, -gained.high, -gained.low)
    quality = quality_interval(found, judge)
    size = None if evaluated.size_bytes is None else evaluated.size_bytes / 1e6
    return [
        at_least("min_quality", quality, limits.min_quality, unit=unit),
        at_most("max_quality_drop", drop, limits.max_quality_drop, unit=unit),
        check_slices(evaluated.slices, limits.max_slice_gap, unit=judge.problem.words.row_score),
        check_swaps(evaluated.swaps, limits.max_swap_gap, unit="mean change of an answer"),
        *check_answered(evaluated.answered),
        exactly_at_most(
            "latency_p95_ms", measured.latency_ms.p95, limits.latency_p95_ms, unit="ms"
        ),
        exactly_at_most("size_mb", size, limits.size_mb, unit="MB (10⁶ bytes)"),
        exactly_at_most("memory_mb", measured.memory_mb, limits.memory_mb, unit="MB (10⁶ bytes)"),
        exactly_at_most(
            "licences", _unlicensed(evidence, limits), 0, unit="neither allowed nor waived"
        ),
        exactly_at_most(
            "certificates", _unproved(variant, evidence), 0, unit="missing or not passed"
        ),
        exactly_at_most(
            "data_reject_share",
            data.shares.rejected,  # copies have a limit of their own, which validate has checked
            data.limits.max_reject_share,
            unit="share of rows",
        ),
    ]


def _unlicensed(evidence: Evidence, limits: Requirements) -> int:
    """How many sources and checkpoints have a licence that is neither allowed nor waived."""
    return sum(
        not is_allowed(licence, limits) and source not in limits.licence_waivers
        for source, licence in evidence.licences.items()
    )


def _unproved(variant: Variant, evidence: Evidence) -> int:
    """How many of the certificates that a variant needs are missing or have not passed."""
    exported = evidence.exported.get(variant.model)
    quantized = evidence.quantized.get(variant.model)
    # An int8 model is made from an export: it needs both certificates.
    needed = [exported] if variant.precision == "fp32" else [exported, quantized]
    return sum(proof is None or not proof.passed for proof in needed)


def choose(
    qualified: Sequence[Variant], evidence: Evidence, *, judge: Judge
) -> tuple[Variant, str]:
    """Returns the smallest variant that is not significantly worse than the best, and why."""
    metric, judged = judge.metric, evidence.validation
    reports = {variant: evidence.evaluated[variant.name] for variant in qualified}
    value = {v: report.quality.validation.figures[metric] for v, report in reports.items()}
    size = {v: report.size_bytes or 0 for v, report in reports.items()}
    best = max(qualified, key=lambda variant: (value[variant], -size[variant]))
    differences = {
        variant: difference_interval(judged[variant.name], judged[best.name], judge)
        for variant in qualified
    }
    equal = [variant for variant in qualified if differences[variant].high >= 0]
    chosen = min(equal, key=lambda variant: (size[variant], -value[variant]))
    found = differences[chosen]
    if chosen == best:
        reason = (
            f"{best.name} has the best {metric} of those that qualify, and no smaller one equals it"
        )
    else:
        reason = (
            f"{chosen.name} is the smallest whose {metric} is not significantly worse than that of "
            f"{best.name}, the best that qualifies: {found.value:+.3f}, interval "
            f"{found.low:+.3f} to {found.high:+.3f}"
        )
    return chosen, reason


def explain(checks: Sequence[Check], reason: str) -> str:
    """Returns the reason, followed by the checks that these rows could not settle."""
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
