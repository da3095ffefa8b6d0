"""gate: leave a scorecard, a verdict and a bundle of the contract's shape; `chance` cannot be told."""

from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.errors import CannotBeToldError
from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from tests.support.example_artifacts import check, scorecard_entry, verdict


def run(params: Params, paths: Paths) -> Metrics:
    text = paths.read("label", "records.txt").read_text()
    if text == "chance":
        write_json(paths.out / "verdict.json", {"verdict": "no: cannot be told"})
        raise CannotBeToldError(
            "no: cannot be told: every label is by chance",
            expected="a gain of at least 0.05",
            next_step="look whether labels fit the texts",
        )
    words = int(text)
    entry = scorecard_entry("student-int8", quality=0.8, size_bytes=words, p95=1.5)
    Scorecard(variants=[entry]).write(paths)
    verdict(check("size_mb", value=words)).write(paths)
    write_json(paths.out / "bundle" / "manifest.json", {"files": {"words": str(words)}})
    return {
        "headline": f"released student-int8, {params.gate.golden_requests} golden",
        "words": words,
    }


if __name__ == "__main__":
    run_stage("gate", run)
