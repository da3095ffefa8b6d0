"""The scorecard: every variant with its figures, and the released one in a line."""

from typing import Any

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import quality_table
from pipeline.acceptance.verdict import Evidence
from pipeline.core.variants import TEACHER
from pipeline.metrics.metric_names import spoken


def make_scorecard(
    evidence: Evidence, chosen: str, test: Judged, judge: Judge
) -> list[dict[str, Any]]:
    """One entry a variant: what evaluate and measure found, and the test quality of the chosen one."""
    empty = {"latency_ms": None, "throughput_per_s": None, "memory_mb": None}
    entries = []
    for name, evaluated in evidence.evaluated.items():
        entry = {**evaluated, **empty, **evidence.measured.get(name, {})}
        if name == chosen:
            entry["quality"] = entry["quality"] | {"test": quality_table(test, judge)}
            if judge.abstains:
                entry["answered"] = entry["answered"] | {"test": judge.answered(test)}
        entries.append(entry)
    return entries


def summary(scorecard: list[dict[str, Any]], released: str, metric: str) -> dict[str, Any]:
    """The released variant in a few figures, and a line of them."""
    by_name = {entry["name"]: entry for entry in scorecard}
    entry, teacher = by_name[released], by_name[TEACHER]
    found = {split: entry["quality"][split][metric] for split in ("validation", "test")}
    p95, size = entry["latency_ms"]["p95"], entry["size_bytes"] / 1e6
    return {
        "released": released,
        "quality_metric": metric,
        f"validation_{metric}": found["validation"],
        f"test_{metric}": found["test"],
        f"teacher_test_{metric}": teacher["quality"]["test"][metric],
        "size_mb": size,
        "latency_p95_ms": p95,
        "headline": f"{released}: test {spoken(metric)} {found['test']:.3f}, {size:.1f} MB, "
        f"p95 {p95:.2f} ms",
    }
