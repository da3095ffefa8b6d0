"""The scorecard: every variant with its figures, and the released one in a line."""

from typing import Any

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import quality_table
from pipeline.acceptance.verdict import Evidence
from pipeline.core.artifacts.variant_reports import Scorecard, ScorecardEntry
from pipeline.core.variants import TEACHER
from pipeline.problem.problems import in_words


def make_scorecard(evidence: Evidence, chosen: str, *, test: Judged, judge: Judge) -> Scorecard:
    """Joins the reports of evaluate and measure, and adds the chosen variant's test figures."""
    entries = {
        name: ScorecardEntry.join(report, evidence.measured.get(name))
        for name, report in evidence.evaluated.items()
    }
    entry = entries[chosen]
    quality = entry.quality.model_copy(update={"test": quality_table(test, judge)})
    answered = entry.answered and entry.answered.model_copy(update={"test": judge.answered(test)})
    entries[chosen] = entry.model_copy(update={"quality": quality, "answered": answered})
    return Scorecard(variants=[*entries.values()])


def summary(scorecard: Scorecard, released: str, metric: str) -> dict[str, Any]:
    """The released variant in a few figures, and a line of them, for metrics.json."""
    entry, teacher = scorecard.entry(released), scorecard.entry(TEACHER)
    found = {split: quality.figures[metric] for split, quality in entry.quality.items()}
    of_teacher = {split: quality.figures[metric] for split, quality in teacher.quality.items()}
    p95 = entry.latency_ms.p95 if entry.latency_ms else 0.0
    size, test = entry.size_mb or 0.0, found["test"]
    return {
        "released": released,
        "quality_metric": metric,
        f"validation_{metric}": found["validation"],
        f"test_{metric}": test,
        f"teacher_test_{metric}": of_teacher["test"],
        "size_mb": size,
        "latency_p95_ms": p95,
        "headline": f"{released}: test {in_words(metric)} {test:.3f}, {size:.1f} MB, p95 {p95:.2f} ms",
    }
