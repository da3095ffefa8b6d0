"""Hand-over files are read as they were written, and refused where they are not whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.artifacts.data_reports import AgreementReport, Manifest, TeacherTraining
from pipeline.core.artifacts.variant_reports import Quality, ScorecardEntry
from pipeline.core.artifacts.verdicts import Check
from pipeline.core.errors import ArtifactError
from pipeline.core.paths import Paths
from tests.support.example_artifacts import variant_report

SOURCE = {
    **{"name": "mine", "kind": "file", "origin": "mine.csv", "licence": "CC0-1.0"},
    **{"waiver": None, "sha256": "0" * 64, "rows": 12, "bytes": 100},
}


def written(folder: Path, values: Any) -> Path:
    path = folder / "collect" / "manifest.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values))
    return path


def test_a_file_is_read_and_written_with_the_same_keys(tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path, {"sources": [SOURCE]}))
    assert manifest.sources[0].name == "mine"
    manifest.write(Paths(tmp_path, "collect"))
    again = json.loads((tmp_path / "artifacts/collect/manifest.json").read_text())
    assert again == {"sources": [SOURCE]}
    assert Manifest.read(Paths(tmp_path)) == manifest


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"rows": None}, r"sources\.0: rows is no finite number"),
        ({"extra": 1}, "unknown key extra"),
        ({"kind": 3}, "kind"),
        ({"rows": 1.5}, "rows"),
    ],
)
def test_a_file_with_another_key_or_type_is_refused_by_file_and_key(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    path = written(tmp_path, {"sources": [SOURCE | change]})
    with pytest.raises(ArtifactError, match=fault) as caught:
        Manifest.load(path)
    assert "collect/manifest.json" in caught.value.got
    assert "make pipeline" in caught.value.next_step


def test_every_missing_key_is_named(tmp_path: Path) -> None:
    lacking = {key: value for key, value in SOURCE.items() if key not in ("sha256", "rows")}
    with pytest.raises(ArtifactError, match=r"without sha256; .*without rows"):
        Manifest.load(written(tmp_path, {"sources": [lacking]}))
    with pytest.raises(ArtifactError, match=r"manifest\.json: sources: missing"):
        Manifest.load(written(tmp_path, {}))


def test_a_number_keeps_its_form() -> None:
    values = {"interval": None, "name": "licences", "outcome": "passed", "unit": "-"}
    check = Check(**values, limit=0, value=1.0)
    assert json.dumps(check.as_json()["limit"]) == "0"
    assert json.dumps(check.as_json()["value"]) == "1.0"


def test_a_figure_that_is_no_finite_number_is_refused() -> None:
    counts = ("annotated_rows", "unknown_rows", "annotators", "changed_labels", "newly_labelled")
    values: dict[str, Any] = dict.fromkeys((*counts, "double_rows"), 1)
    values |= {"interval": None, "judgement": "not measured", "merge": "majority"}
    values |= {"coefficients": None, "by_label": {}}
    values |= dict.fromkeys(("people", "pairs", "confusions", "uncertain_rows"), [])
    with pytest.raises(ArtifactError, match=r"agreement\.json: alpha is no finite number"):
        AgreementReport.parse(values | {"alpha": float("nan")}, file="agreement.json")


def test_metrics_and_their_intervals_are_one_object_in_the_file() -> None:
    values = {"accuracy": 0.8, "accuracy_ci95": [0.7, 0.9], "macro_f1": 0.79}
    quality = Quality.parse(values, file="quality")
    assert quality.figures == {"accuracy": 0.8, "macro_f1": 0.79}
    assert quality.intervals == {"accuracy": [0.7, 0.9]}
    assert quality.as_json() == values


def test_a_key_that_a_baseline_does_not_have_is_not_written() -> None:
    report = variant_report("baseline-nblr", quality=0.7, size_bytes=1)
    entry = ScorecardEntry.join(report, None).as_json()
    assert entry["memory_mb"] is None
    assert "memory_added_mb" not in entry
    assert "test" not in entry["quality"]


def test_of_the_metrics_of_finetune_only_what_the_card_tells_is_read() -> None:
    values = {"adapted_tokens": 0, "related_rows": 3, "seeds": {"1": 0.8}, "kept": "mean"}
    found = TeacherTraining.parse(values | {"headline": "anything"}, file="metrics.json")
    assert found.related_rows == 3
