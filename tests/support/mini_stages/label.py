"""label: pass through."""

from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage


def run(_: Params, paths: Paths) -> Metrics:
    text = paths.read("validate", "records.txt").read_text()
    (paths.out / "records.txt").write_text(text)
    return {"headline": "labelled"}


if __name__ == "__main__":
    run_stage("label", run)
