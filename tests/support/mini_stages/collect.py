"""collect: copy the text."""

from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage


def run(_: Params, paths: Paths) -> Metrics:
    text = (paths.root / "data" / "text.txt").read_text()
    write_text(paths.out / "records.txt", text)
    return {"headline": f"{len(text)} characters", "characters": len(text)}


if __name__ == "__main__":
    run_stage("collect", run)
