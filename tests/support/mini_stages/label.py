"""label: pass through; a text without labels makes it wait for people, with a sheet for them."""

from pipeline.core.errors import LabelsNeededError
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage


def run(_: Params, paths: Paths) -> Metrics:
    text = paths.read("validate", "records.txt").read_text()
    if "unlabelled" in text:
        write_text(paths.annotation_sheet, "id,text,annotator,label\n1,a text,,\n")
        raise LabelsNeededError(
            "none of 2 rows has a label",
            expected="a label for some",
            next_step="annotate: about 2 labels. Fill in to_annotate.csv",
        )
    (paths.out / "records.txt").write_text(text)
    return {"headline": "labelled"}


if __name__ == "__main__":
    run_stage("label", run)
