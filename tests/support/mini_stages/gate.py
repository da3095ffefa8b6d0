"""gate: leave a scorecard, a verdict and a bundle of the contract's shape."""

from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage


def run(params: Params, paths: Paths) -> Metrics:
    words = int(paths.read("label", "records.txt").read_text())
    variant = {
        "name": "student-int8",
        "quality": {"validation": {"accuracy": 0.8, "macro_f1": 0.79}},
        "size_bytes": words,
        "latency_ms": {"p95": 1.5},
        "parameters": 10,
        "throughput_per_s": 5,
    }
    check = {
        "name": "size_mb",
        "limit": 8,
        "value": words,
        "interval": None,
        "unit": "MB",
        "outcome": "passed",
    }
    write_json(paths.out / "scorecard.json", {"variants": [variant]})
    write_json(
        paths.out / "verdict.json", {"passed": True, "released": "student-int8", "checks": [check]}
    )
    write_json(paths.out / "bundle" / "manifest.json", {"files": {"words": str(words)}})
    return {
        "headline": f"released student-int8, {params.gate.golden_requests} golden",
        "words": words,
    }


if __name__ == "__main__":
    run_stage("gate", run)
