"""Tidy removes what nothing names, and all that is named can still be checked out. Real DVC, git and locks."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from flows.execution.locks import build_lock
from flows.tidy import tidy
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.databases import MLFLOW_VARIABLE
from pipeline.core.errors import PipelineError
from pipeline.core.files import write_json
from pipeline.release.mlflow_database import ensure_database
from pipeline.release.registry import Registry, experiment_id
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import open_bundle
from tests.support.repository import commit_all
from tests.support.tiny_bundle import make_tiny_bundle
from tests.support.told import mlflow_client

STAGE = {
    "cmd": "mkdir -p artifacts/label && cp data/text.txt artifacts/label/rows.txt",
    "deps": ["data/text.txt"],
    "outs": ["artifacts/label"],
}


def dvc(root: Path, *arguments: str) -> int:
    environment = chosen_environment(os.environ) | {
        "DVC_SITE_CACHE_DIR": str(root / ".modelyard" / "dvc")
    }
    command = [sys.executable, "-m", "dvc", "-q", *arguments]
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


def built(root: Path, text: str) -> Path:
    """Runs the stage on a text; returns the dvc.lock."""
    (root / "data" / "text.txt").write_text(text)
    assert dvc(root, "repro") == 0
    return root / "dvc.lock"


def kept(root: Path, name: str, *, age: int) -> Path:
    """Keeps the last build under a name, as one that was made some days ago."""
    folder = root / ".modelyard" / "builds" / name
    folder.mkdir(parents=True)
    shutil.copy(root / "dvc.lock", folder)
    now = (root / "dvc.lock").stat().st_mtime
    os.utime(folder / "dvc.lock", (now - age * 86400, now - age * 86400))
    return folder


def restores(root: Path, lock: Path, text: str) -> bool:
    """Whether DVC can bring back what a dvc.lock records."""
    if lock != root / "dvc.lock":
        shutil.copy(lock, root / "dvc.lock")
    shutil.rmtree(root / "artifacts", ignore_errors=True)
    dvc(root, "checkout", "--force", "--allow-missing")
    rows = root / "artifacts" / "label" / "rows.txt"
    return rows.exists() and rows.read_text() == text


def entries(root: Path) -> set[Path]:
    return {path for path in (root / ".dvc" / "cache" / "files").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with builds of six texts: committed, three kept, unnamed, and the present one."""
    root = tmp_path_factory.mktemp("project")
    (root / "data").mkdir()
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"label": STAGE}}))
    (root / ".gitignore").write_text("/.modelyard\n/artifacts\n")
    (root / "data" / "text.txt").touch()
    commit_all(root)
    assert dvc(root, "init") == 0
    built(root, "committed")
    commit_all(root)
    for age, name in ((3, "build-old"), (4, "retrain"), (1, "build-new")):
        built(root, name)
        kept(root, name, age=age)
    built(root, "unnamed")
    built(root, "present")
    return root


@pytest.fixture
def root(project: Path, tmp_path: Path) -> Path:
    shutil.copytree(project, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def test_what_is_named_can_be_checked_out_and_the_rest_is_gone(root: Path) -> None:
    shutil.copy(root / "dvc.lock", root / "present.lock")
    builds, before = root / ".modelyard" / "builds", len(entries(root))
    old = (builds / "build-old" / "dvc.lock").read_text()
    removals = tidy(root, keep=1)
    assert tidy(root, keep=1) == []
    assert {removal.path.name for removal in removals if removal.kind == "builds"} == {"build-old"}
    assert sorted(path.name for path in builds.iterdir()) == ["build-new", "retrain"]
    assert len(entries(root)) == before - 4  # a file and a listing each, of build-old and unnamed
    for name in ("build-new", "retrain"):
        assert restores(root, builds / name / "dvc.lock", name)
    assert restores(root, root / "present.lock", "present")
    subprocess.run(["git", "checkout", "-q", "HEAD", "--", "dvc.lock"], cwd=root, check=True)
    assert restores(root, root / "dvc.lock", "committed")
    (root / "old.lock").write_text(old)
    assert not restores(root, root / "old.lock", "build-old")


def test_a_dry_run_prints_the_same_and_removes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    planned = tidy(root, keep=1, dry_run=True)
    said = capsys.readouterr().out
    after = {path: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    assert {path.name for path in after.keys() ^ before.keys()} <= {"modelyard.lock"}
    assert planned
    assert "builds  1" in said
    assert "in all" in said
    assert tidy(root, keep=1) == planned
    assert capsys.readouterr().out == said


def test_nothing_is_removed_while_a_build_runs(root: Path) -> None:
    before = entries(root)
    with build_lock(root), pytest.raises(PipelineError, match="under way"):
        tidy(root, keep=0)
    state = ReleaseState(root, "reviews")
    state.folder.mkdir(parents=True)
    with state.lock(), pytest.raises(PipelineError, match="release of reviews"):
        tidy(root, keep=0)
    assert entries(root) == before


@contextmanager
def database(root: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(root / "mlflow.db")) as connection, connection:
        yield connection


def test_releases_of_the_ledger_and_files_of_living_runs_stay(root: Path) -> None:
    state = ReleaseState(root, "reviews")
    names = {"served": "a" * 64, "before": "b" * 64, "never": "c" * 64}
    for name in names.values():
        (state.releases / name).mkdir(parents=True)
        write_json(state.origin(name), {})
    state.ledger.write_text(
        json.dumps({"hash": names["served"], "previous": names["before"]}) + "\n"
    )
    runs = {name: character * 32 for name, character in (("r1", "1"), ("r2", "2"), ("r3", "3"))}
    with database(root) as connection:
        connection.execute("CREATE TABLE runs (run_uuid TEXT, lifecycle_stage TEXT)")
        connection.execute("CREATE TABLE logged_models (model_id TEXT, lifecycle_stage TEXT)")
        connection.executemany(
            "INSERT INTO runs VALUES (?, ?)", [(runs["r1"], "active"), (runs["r2"], "deleted")]
        )
        connection.execute("INSERT INTO logged_models VALUES ('m-1', 'active')")
    # Of experiments that a build makes, and of those that MLflow's own server makes.
    for folder in ("", "0/"):
        for name in (
            f"{runs['r1']}/artifacts",
            f"{runs['r2']}/artifacts",
            "models/m-1",
            "models/m-2",
        ):
            (root / "mlartifacts" / folder / name).mkdir(parents=True)
    gone = {removal.path.name for removal in tidy(root, keep=9) if removal.kind != "cache"}
    assert gone == {names["never"], f"{names['never']}.origin.json", runs["r2"], "m-2"}
    assert (root / "mlartifacts" / runs["r1"] / "artifacts").is_dir()
    assert (root / "mlartifacts/0" / runs["r1"] / "artifacts").is_dir()
    assert (root / "mlartifacts/models/m-1").is_dir()
    assert (state.releases / names["before"]).is_dir()
    assert state.origin(names["served"]).exists()


def test_files_of_real_runs_and_models_stay(root: Path) -> None:
    """As MLflow writes them: it was once looked for in folders that it never makes."""
    make_tiny_bundle(root / "bundle")
    Registry(root, "reviews").register(open_bundle(root / "bundle"), None)
    client = mlflow_client(root)
    [run] = client.search_runs([experiment_id(client, root, "reviews")])
    client.log_text(run.info.run_id, "a card", "run.md")
    before = sorted((root / "mlartifacts").rglob("*"))
    assert {path.name for path in before} >= {"run.md", "MLmodel"}
    tidy(root, keep=0)
    assert sorted((root / "mlartifacts").rglob("*")) == before
    client.delete_run(run.info.run_id)
    tidy(root, keep=0)
    assert "run.md" not in {path.name for path in (root / "mlartifacts").rglob("*")}


def test_files_stay_that_either_the_projects_or_the_teams_database_names(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    team, runs = tmp_path / "team.db", [character * 32 for character in "123"]
    for file, run in ((root / "mlflow.db", runs[0]), (team, runs[1])):
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("CREATE TABLE runs (run_uuid TEXT, lifecycle_stage TEXT)")
            connection.execute("INSERT INTO runs VALUES (?, 'active')", (run,))
    for run in runs:
        (root / "mlartifacts" / run / "artifacts").mkdir(parents=True)
    monkeypatch.setenv(MLFLOW_VARIABLE, f"sqlite:///{team}")
    ensure_database(root)  # as the first command with the variable does
    monkeypatch.delenv(MLFLOW_VARIABLE)
    assert not artifacts_gone(root)
    assert "mlartifacts stays" in capsys.readouterr().out
    for other in (tmp_path / "empty.db", Path("/no/such/folder/a.db")):
        monkeypatch.setenv(MLFLOW_VARIABLE, f"sqlite:///{other}")
        assert not artifacts_gone(root)
    monkeypatch.setenv(MLFLOW_VARIABLE, f"sqlite:///{team}")
    assert artifacts_gone(root) == {runs[2]}


def artifacts_gone(root: Path) -> set[str]:
    return {found.path.name for found in tidy(root, keep=9) if "mlartifacts" in str(found.path)}


def test_old_searches_snapshots_checkpoints_downloads_and_logs_go(root: Path) -> None:
    state = root / ".modelyard"
    for number in range(3):
        for folder in ("search", "checkpoints/finetune", "snapshots", "fetch"):
            (state / folder).mkdir(parents=True, exist_ok=True)
        made = [state / "search" / f"s{number}", state / "checkpoints" / "finetune" / f"c{number}"]
        made.append(state / "fetch" / f"f{number}")
        for path in made:
            path.mkdir()
        made.append(state / "snapshots" / f"{number}.json")
        made[-1].write_text("{}")
        for path in made:
            os.utime(path, (1e9 + number, 1e9 + number))
    for name in ("build-new", "gone"):
        (state / "logs" / name).mkdir(parents=True)
    gone = {r.path.name for r in tidy(root, keep=2) if r.kind not in ("cache", "builds")}
    assert gone == {"s0", "c0", "f0", "0.json", "gone"}


def test_what_dvc_notes_of_files_it_has_read_stays_for_the_newest_workspaces(root: Path) -> None:
    """DVC reads a file again that it has no note of; a note of each worktree ever opened is no use."""
    notes = root / ".modelyard" / "dvc" / "repo"
    for number in range(3):
        database = notes / f"n{number}" / "hashes" / "local" / "cache.db"
        database.parent.mkdir(parents=True)
        database.touch()
        os.utime(database, (1e9 + number, 1e9 + number))
    gone = {r.path.name for r in tidy(root, keep=2) if r.kind == "dvc notes"}
    assert gone == {"n0", "n1"}
    assert [path.name for path in notes.iterdir() if path.name.startswith("n")] == ["n2"]
