"""Retraining: nothing built where nothing changed, a fair comparison, a reason for either end."""

import shutil
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows import retrain
from flows.console.summary import BuildResult
from flows.planning.resolution import Variation, refresh_build_file, resolved, write_build_file
from flows.planning.snapshot import changed_parts, pinned, planned_origin, take_snapshot
from flows.release import TrainRows
from flows.retrain import NOTHING_CHANGED, comparable_rows, run_retrain
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file, write_json
from pipeline.core.params import as_values, override, parse_params
from pipeline.monitoring.bundle_comparison import ComparedRows, compare
from pipeline.monitoring.decide import Comparison
from pipeline.release import ledger
from pipeline.release.rollout import ReleaseResult
from pipeline.release.state import ReleaseState
from pipeline.runtime.task import Task
from tests.support.example_artifacts import check, verdict
from tests.support.problems import product_of
from tests.support.repository import REPOSITORY, parameter_values, write_files
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

PRODUCT = "tiny-sentiment"
TEXTS = ["a good film", "a warm funny film", "a bad film", "the awful dull film"]
TARGETS = [[1.0], [1.0], [0.0], [0.0]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one file source, whose champion was built from what lies there."""
    (tmp_path / "pipeline").symlink_to(REPOSITORY / "pipeline")
    stages = {"label": {"cmd": "python -m pipeline.label"}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    values = parameter_values()
    source = values["collect"]["sources"][0]
    source |= {"kind": "file", "package": None, "path": "reviews.csv", "sha256": None, "where": {}}
    values["collect"]["sources"] = [source]
    values["product"]["name"] = PRODUCT
    write_files(tmp_path, values)
    params = refresh_build_file(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reviews.csv").write_text("text,label\ngood,1\n")
    state = ReleaseState(tmp_path, PRODUCT)
    bundle_hash = make_tiny_bundle(tmp_path / "champion")
    shutil.copytree(tmp_path / "champion", state.release(bundle_hash))
    state.point_to(bundle_hash)
    origin = planned_origin(tmp_path, take_snapshot(tmp_path, params))
    write_json(state.origin(bundle_hash), asdict(origin))
    write_json(state.rows(bundle_hash), {"ids": ["trained"], "clusters": ["trained"]})
    return tmp_path


@dataclass
class Made:
    """The titles of the builds, the verdict that they end with, and what was released."""

    titles: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=verdict)
    releases: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """Builds that leave a new bundle and its validation rows; tests/release shows that releases work."""
    made = Made()

    def build(workspace: Path, *, root: Path, title: str) -> BuildResult:
        made.titles.append(title)
        make_tiny_bundle(workspace / "artifacts/gate/bundle", seed=5)
        rows = [
            {"id": f"{copy}-{number}", "text": text, "target": target, "split": "validation"}
            for copy in range(10)
            for number, (text, target) in enumerate(zip(TEXTS, TARGETS, strict=True))
        ]
        table = [{**row, "second": None, "cluster": row["id"]} for row in rows]
        (workspace / "artifacts/prepare").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(table), workspace / "artifacts/prepare/records.parquet")
        return BuildResult(stages=[], mlflow_run_id=None, verdict=made.verdict)

    def release_bundle(**order: Any) -> ReleaseResult:
        made.releases.append(order)
        digest = sha256_file(order["bundle"] / "manifest.json")
        return ReleaseResult(hash=digest, version="2", address="http://a:1", outcome="promoted")

    monkeypatch.setattr(retrain, "build_workspace", build)
    monkeypatch.setattr(retrain, "open_workspace", lambda root, **_: nullcontext(root))
    monkeypatch.setattr(retrain, "release_bundle", release_bundle)
    return made


def test_where_nothing_changed_nothing_is_built(root: Path, made: Made) -> None:
    outcome = run_retrain(root, Variation(), reason="a test")
    assert outcome.reason == NOTHING_CHANGED
    assert not made.titles
    assert not made.releases
    state = ReleaseState(root, PRODUCT)
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.hash) == ("kept", state.current())
    assert last.why == f"retrain (a test): {NOTHING_CHANGED}"


def test_a_changed_source_is_built_compared_and_released(root: Path, made: Made) -> None:
    (root / "data" / "reviews.csv").write_text("text,label\ngood,1\nbad,0\n")
    outcome = run_retrain(root, Variation(), reason="a test")
    assert made.titles == ["retrain (a test)"]
    assert outcome.released
    assert "Changed: sources" in outcome.reason
    assert "40 rows" in outcome.reason
    assert outcome.reason in made.releases[0]["why"]


def test_a_model_that_the_gate_stopped_is_not_released(root: Path, made: Made) -> None:
    (root / "data" / "reviews.csv").write_text("text,label\nbad,0\n")
    missed = check("min_quality", value=0.6, limit=0.78, outcome="failed")
    made.verdict = verdict(missed, passed=False)
    outcome = run_retrain(root, Variation(), reason="a test")
    assert not outcome.released
    assert "min_quality: 0.6, limit 0.78" in outcome.reason
    assert not made.releases


def test_without_a_champion_the_first_model_is_released(root: Path, made: Made) -> None:
    ReleaseState(root, PRODUCT).point_to(None)
    outcome = run_retrain(root, Variation(), reason="a test")
    assert outcome.released
    assert "first release" in outcome.reason


def test_a_champion_of_unknown_training_rows_stays(root: Path, made: Made) -> None:
    state = ReleaseState(root, PRODUCT)
    state.rows(str(state.current())).unlink()
    state.origin(str(state.current())).unlink()
    outcome = run_retrain(root, Variation(), reason="a test")
    assert not outcome.released
    assert "not known which rows" in outcome.reason


def test_rows_that_the_champion_trained_on_are_left_out(tmp_path: Path) -> None:
    splits = {
        "a": "validation",
        "b": "validation",
        "c": "validation",
        "d": "validation",
        "e": "train",
    }
    rows = [
        {"id": name, "text": f"text {name}", "second": f"second {name}", "target": [1.0]}
        | {"cluster": name.replace("c", "b"), "split": split}
        for name, split in splits.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "records.parquet")
    trained_on = TrainRows(ids=["a"], clusters=["b"])
    found = comparable_rows(tmp_path / "records.parquet", trained_on)
    assert found == ComparedRows(texts=["text d"], seconds=["second d"], targets=[[1.0]])


def compared(
    folder: Path, metric: str, tasks: tuple[Task, Task], targets: list[list[float]]
) -> Comparison:
    """The comparison of two tiny models that were made for these tasks."""
    for name, task in zip(("old", "new"), tasks, strict=True):
        make_tiny_bundle(folder / name, task=task)
    changes = [
        *product_of(problem=tasks[0].problem, labels=f"[{', '.join(tasks[0].labels)}]"),
        f"product.requirements.quality_metric={metric}",
        "evaluate.resamples=100",
    ]
    params = parse_params(override(parameter_values(), changes))
    rows = ComparedRows(texts=TEXTS, seconds=[], targets=targets)
    return compare(folder / "old", folder / "new", rows=rows, params=params)


@pytest.mark.parametrize(
    ("problem", "metric", "targets", "most", "high"),
    [
        ("classification", "accuracy", TARGETS, 0.0, -1.0),
        ("multi_label", "average_precision", [[0.0, 1.0]] * 2 + [[1.0, 0.0]] * 2, 0.6, 0.0),
    ],
)
def test_labels_are_compared_by_name_row_by_row_in_the_products_figure(
    tmp_path: Path, problem: str, metric: str, targets: list[list[float]], most: float, high: float
) -> None:
    wrong = tiny_task(problem, labels=("positive", "negative"))  # the wrong way round
    comparison = compared(tmp_path, metric, (tiny_task(problem), wrong), targets)
    assert comparison.champion == 1.0
    assert comparison.candidate <= most
    assert comparison.difference.high <= high
    assert metric in str(comparison)


def test_numbers_are_compared_by_correlation(tmp_path: Path) -> None:
    tasks = (tiny_task("regression"), tiny_task("regression"))
    comparison = compared(tmp_path, "spearman", tasks, [[4.0], [5.0], [2.0], [1.0]])
    assert comparison.champion == comparison.candidate > 0.7
    assert comparison.difference.value == 0.0


def test_a_champion_that_answers_another_question_stays(root: Path, made: Made) -> None:
    values = as_values(resolved(root))
    values["product"] |= {"problem": "multi_label"}
    values["product"]["requirements"]["quality_metric"] = "micro_f1"
    values["collect"]["sources"][0] |= {"label_separator": "|"}
    write_files(root, values)
    refresh_build_file(root)
    outcome = run_retrain(root, Variation(), reason="a test")
    assert not outcome.released
    assert "another kind of question" in outcome.reason


def test_an_origin_tells_what_changed_and_not_that_a_hash_was_pinned(root: Path) -> None:
    params = resolved(root)
    snapshot = take_snapshot(root, params)
    before = planned_origin(root, snapshot)
    found = pinned(params, snapshot)
    assert found.collect.sources[0].sha256 == snapshot.sources["rotten-tomatoes"]
    write_build_file(root, found)
    assert changed_parts(before, planned_origin(root, snapshot)) == []
    write_build_file(root, resolved(root, Variation(changes=["finetune.epochs=9"])))
    assert changed_parts(before, planned_origin(root, snapshot)) == ["params"]


def test_a_missing_source_is_said(root: Path) -> None:
    (root / "data" / "reviews.csv").unlink()
    with pytest.raises(DataError, match=r"data/reviews\.csv is not there"):
        take_snapshot(root, resolved(root))
