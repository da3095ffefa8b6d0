"""Evidence on the variants, and the verdict that the gate reaches from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.acceptance import requirements as rules
from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval, quality_interval
from pipeline.core.artifacts.certificates import OperatorCertificate, ParityCertificate
from pipeline.core.artifacts.data_reports import DataReport
from pipeline.core.artifacts.variant_reports import Timing, VariantReport
from pipeline.core.artifacts.verdicts import Check
from pipeline.core.product import Requirements
from pipeline.core.variants import TEACHER, Variant
from pipeline.metrics.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Results of the earlier stages.

    Attributes:
        evaluated: variant → its entry of variants.json.
        measured: variant → its entry of latency.json.
        validation: variant → its answers on validation; the gate's decisions read no other rows.
        exported: model → its certificate from export.
        quantized: model → its certificate from quantize.
        licences: source or checkpoint → its licence.
        data_report: what validate reports.
    """

    evaluated: Mapping[str, VariantReport]
    measured: Mapping[str, Timing]
    validation: Mapping[str, Judged]
    exported: Mapping[str, ParityCertificate]
    quantized: Mapping[str, OperatorCertificate]
    licences: Mapping[str, str]
    data_report: DataReport

    def certificates(
        self, variant: Variant
    ) -> list[ParityCertificate | OperatorCertificate | None]:
        """Every certificate that an ONNX variant needs; None for one that is missing."""
        parity = self.exported.get(variant.model)
        # An int8 model is made from an export: it needs both certificates.
        return (
            [parity] if variant.precision == "fp32" else [parity, self.quantized.get(variant.model)]
        )


def check_variant(
    variant: Variant, evidence: Evidence, limits: Requirements, *, judge: Judge
) -> list[Check]:
    """Checks every requirement on one variant."""
    name = variant.name
    evaluated, found = evidence.evaluated[name], evidence.validation[name]
    gained = difference_interval(found, evidence.validation[TEACHER], judge)
    drop = Interval(-gained.value, -gained.high, -gained.low)
    quality, unit = quality_interval(found, judge), judge.metric
    return [
        rules.at_least("min_quality", quality, limits.min_quality, unit=unit),
        rules.at_most("max_quality_drop", drop, limits.max_quality_drop, unit=unit),
        rules.check_slices(
            evaluated.slices, limits.max_slice_gap, unit=judge.problem.words.row_score
        ),
        *rules.check_answered(evaluated.answered),
        *rules.check_costs(evaluated.size_bytes, evidence.measured[name], limits),
        rules.check_licences(evidence.licences, limits),
        rules.check_certificates(evidence.certificates(variant)),
        rules.check_data(evidence.data_report),
    ]


def choose(
    qualified: Sequence[Variant], evidence: Evidence, *, judge: Judge
) -> tuple[Variant, str]:
    """Returns the smallest variant that is not significantly worse than the best, and why."""
    metric = judge.metric

    def value(variant: Variant) -> float:
        return evidence.evaluated[variant.name].quality.validation.figures[metric]

    def size(variant: Variant) -> int:
        return evidence.evaluated[variant.name].size_bytes or 0

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
