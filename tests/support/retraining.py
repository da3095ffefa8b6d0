"""A small project with a champion, and quick stand-ins for what takes long in a retraining."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from flows.console.summary import BuildResult
from flows.planning.resolution import refresh_build_file, write_build_file
from flows.planning.retrain_plan import Order
from flows.planning.snapshot import planned_origin, take_snapshot
from flows.retrain import Outcome, Work, run_retrain
from flows.tracking.runs import RunRecord, read_runs
from pipeline.core.artifacts.data_reports import Manifest
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import ChampionChangedError
from pipeline.core.files import sha256_file, write_json
from pipeline.core.params import Params, load_params
from pipeline.core.paths import Paths
from pipeline.metrics.intervals import Interval
from pipeline.monitoring.bundle_comparison import compare
from pipeline.monitoring.decide import Comparison
from pipeline.release import ledger
from pipeline.release.rollout import ReleaseResult
from pipeline.release.state import ReleaseState
from tests.support.example_artifacts import verdict
from tests.support.repository import parameter_values, write_files
from tests.support.tiny_bundle import make_tiny_bundle

PRODUCT = "tiny-sentiment"
TEXTS = ["a good film", "a warm funny film", "a bad film", "the awful dull film"]
TARGETS = [[1.0], [1.0], [0.0], [0.0]]


def make_project(root: Path) -> Path:
    """Writes a project with one file source, whose champion was built from what lies there."""
    params = _write_sources(root)
    state = ReleaseState(root, PRODUCT)
    bundle_hash = make_tiny_bundle(root / "champion")
    shutil.copytree(root / "champion", state.release(bundle_hash))
    state.point_to(bundle_hash)
    origin = planned_origin(root, take_snapshot(root, params))
    write_json(state.origin(bundle_hash), asdict(origin))
    write_json(state.rows(bundle_hash), {"ids": ["trained"], "clusters": ["trained"]})
    return root


def make_build(root: Path, *, seed: int = 0) -> Path:
    """Writes a project as a build leaves it; returns the folder of the gate's bundle, which has a verdict."""
    paths = Paths(root)
    root.mkdir()
    _write_sources(root)
    bundle = paths.output("gate") / "bundle"
    make_tiny_bundle(bundle, seed=seed)
    verdict().save(paths.output("gate") / "verdict.json")
    Manifest(sources=[]).save(paths.artifacts / Manifest.FILE)
    rows = [{"id": "trained", "cluster": "trained", "split": "train"}]
    paths.output("prepare").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), paths.output("prepare") / "records.parquet")
    return bundle


def _write_sources(root: Path) -> Params:
    """Writes what a person writes: code, parameters and one source; returns the parameters."""
    (root / "pipeline").mkdir()
    (root / "pipeline" / "label.py").write_text("LABELS = 1\n")
    stages = {"label": {"cmd": "python -m pipeline.label"}}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    values = parameter_values()
    source = values["collect"]["sources"][0]
    source |= {"kind": "file", "package": None, "path": "reviews.csv", "sha256": None, "where": {}}
    values["collect"]["sources"] = [source]
    values["product"]["name"] = PRODUCT
    write_files(root, values)
    (root / "data").mkdir()
    (root / "data" / "reviews.csv").write_text("text,label\ngood,1\n")
    return refresh_build_file(root)


@dataclass
class Made:
    """Stands for what takes long: opens the folder itself, "builds" a tiny bundle, "releases" it.

    Attributes:
        titles: of the builds; `commits`: that were opened; `orders`: what was asked of the release.
        verdict: with which builds end; `figures`: of the comparison in place of a real one.
        before_release: is called first, as another process that is quicker.
    """

    root: Path
    seed: int = 5
    titles: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=verdict)
    figures: Callable[[Mapping[str, Path]], list[Comparison]] | None = None
    orders: list[dict[str, Any]] = field(default_factory=list)
    before_release: Callable[[], None] = lambda: None

    @property
    def work(self) -> Work:
        return Work(
            open_workspace=self.open_workspace,
            build=self.build,
            compare=self.compare if self.figures else compare,
            release=self.release,
        )

    @contextmanager
    def open_workspace(
        self, root: Path, *, name: str, params: Params, commit: str
    ) -> Iterator[Path]:
        self.commits.append(commit)
        write_build_file(root, params)
        yield root

    def build(self, workspace: Path, *, root: Path, title: str) -> BuildResult:
        self.titles.append(title)
        shutil.rmtree(workspace / "artifacts", ignore_errors=True)
        make_tiny_bundle(workspace / "artifacts/gate/bundle", seed=self.seed)
        rows = [
            {"id": f"{copy}-{number}", "text": text, "target": target, "split": "validation"}
            for copy in range(100)
            for number, (text, target) in enumerate(zip(TEXTS, TARGETS, strict=True))
        ]
        table = [{**row, "second": None, "cluster": row["id"]} for row in rows]
        (workspace / "artifacts/prepare").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(table), workspace / "artifacts/prepare/records.parquet")
        return BuildResult(stages=[], mlflow_run_id=None, verdict=self.verdict)

    def compare(self, guard: Mapping[str, Path], *_: Any, **__: Any) -> list[Comparison]:
        assert self.figures is not None
        return self.figures(guard)

    def release(self, **order: Any) -> ReleaseResult:
        """Copies the bundle and moves the pointer, as a release does; tests/release shows the rest."""
        self.before_release()
        state = ReleaseState(self.root, PRODUCT)
        if (now := state.current()) != order["expected_previous"]:
            raise ChampionChangedError(f"{now} is in production", expected="", next_step="")
        self.orders.append(order)
        digest = sha256_file(order["bundle"] / "manifest.json")
        shutil.copytree(order["bundle"], state.release(digest), dirs_exist_ok=True)
        write_json(state.rows(digest), {"ids": ["trained"], "clusters": ["trained"]})
        values = load_params(self.root / "build.yaml")
        snapshot = take_snapshot(self.root, values)
        write_json(state.origin(digest), asdict(planned_origin(self.root, snapshot)))
        state.point_to(digest)
        entry = ledger.Entry(event="promoted", hash=digest, previous=now, why=order["why"])
        ledger.append(state, entry)
        return ReleaseResult(hash=digest, version="2", address="http://a:1", outcome="promoted")


def new_rows(root: Path, text: str = "bad,0") -> None:
    """Writes the source with one more row than the champion saw."""
    (root / "data" / "reviews.csv").write_text(f"text,label\ngood,1\n{text}\n")


def measured(value: float, error: float, *, rows: int = 837) -> Callable[..., list[Comparison]]:
    """Comparisons in which the new model differs by `value` from every model of the guard."""

    def figures(guard: Mapping[str, Path]) -> list[Comparison]:
        ends = Interval(value, value - 1.96 * error, value + 1.96 * error)
        return [
            Comparison(
                against=name,
                rows=rows,
                former=0.8,
                candidate=0.8 + value,
                difference=ends,
                error=error,
                metric="accuracy",
            )
            for name in guard
        ]

    return figures


def last_run(root: Path) -> RunRecord:
    return next(read_runs(root))


def set_value(root: Path, section: str, key: str, value: object) -> None:
    """Changes one value of params.yaml, as an editor does."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    values[section][key] = value
    (root / "params.yaml").write_text(yaml.safe_dump(values))


def retrained(made: Made, reason: str = "a test", **more: Any) -> Outcome:
    """The end of a retraining of the files as they are."""
    order = Order(reason=reason, working_tree=True, **more)
    return run_retrain(made.root, order, work=made.work)
