"""gate: leave a scorecard, a verdict and a bundle of the contract's shape."""

from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.artifacts.verdicts import Check, Verdict
from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage

VARIANT = {
    "name": "student-int8",
    "quality": {"validation": {"accuracy": 0.8, "macro_f1": 0.79}},
    "parameters": 10,
    "decision": {"thresholds": None, "abstain_below": None},
    "answered": None,
    "difference_to_teacher": {"metric": "accuracy", "value": 0.0, "interval": [-0.1, 0.1]},
    "agreement": 0.9,
    "calibration_error": 0.1,
    "slices": [],
    "latency_ms": {
        "p50": 1.2,
        "p95": 1.5,
        "p95_all_requests": 1.6,
        "batch": 1,
        "tokens": 32,
        "threads": 1,
    },
    "throughput_per_s": 5.0,
    "memory_mb": 80.0,
}


def run(params: Params, paths: Paths) -> Metrics:
    words = int(paths.read("label", "records.txt").read_text())
    entries = {"variants": [VARIANT | {"size_bytes": words}]}
    Scorecard.parse(entries, file="scorecard.json").write(paths)
    check = Check(name="size_mb", limit=8, value=words, interval=None, unit="MB", outcome="passed")
    Verdict(
        passed=True, released="student-int8", reason="the only one", checks=[check], considered={}
    ).write(paths)
    write_json(paths.out / "bundle" / "manifest.json", {"files": {"words": str(words)}})
    return {
        "headline": f"released student-int8, {params.gate.golden_requests} golden",
        "words": words,
    }


if __name__ == "__main__":
    run_stage("gate", run)
