"""MLflow's database, made by a real MLflow."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.core.databases import MLFLOW_VARIABLE
from pipeline.core.errors import ReleaseError
from pipeline.core.paths import Paths
from pipeline.release import mlflow_database
from pipeline.release.mlflow_database import ensure_database, prepare_empty_database
from pipeline.release.registry import Registry
from pipeline.runtime.bundle import open_bundle
from tests.support.tiny_bundle import make_tiny_bundle
from tests.support.told import locked, mlflow_client

PRODUCT = "tiny-sentiment"


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_the_database_of_a_folder_that_was_moved_or_copied_writes_into_its_own_folder(
    tmp_path: Path, how: str
) -> None:
    before, now = tmp_path / "before", tmp_path / "now it's 100%"
    for name, seed in (("first", 1), ("second", 2)):
        make_tiny_bundle(before / name, seed=seed)
    first = Registry(before, PRODUCT).register(open_bundle(before / "first"), None)
    if how == "moved":
        before.rename(now)
    else:
        shutil.copytree(before, now)
    former = _files(before)

    registry, client = Registry(now, PRODUCT), mlflow_client(now)
    # The run of the first is one that began where the folder was.
    run = client.get_model_version(PRODUCT, first).run_id
    second = registry.register(open_bundle(now / "second"), run)
    third = registry.register(open_bundle(now / "first"), None)

    assert (first, second, third) == ("1", "2", "1")
    for version in (first, second):
        source = client.get_model_version_download_uri(PRODUCT, version)
        assert source.startswith(Paths(now).artifact_uri)
    assert _files(before) == former
    assert len({path.parent for path in now.rglob("*.onnx")}) == 4


def test_a_copy_of_the_environments_empty_database_is_what_mlflow_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "environment" / "empty.db"
    monkeypatch.setattr(mlflow_database, "empty_database", lambda: kept)
    projects = [tmp_path / "made", tmp_path / "copied it's 100%"]
    for root in projects:
        root.mkdir()
        ensure_database(root)
        prepare_empty_database()
    tables = []
    for root in projects:
        (experiment,) = mlflow_client(root).search_experiments()
        assert experiment.artifact_location == (root / "mlruns/0").as_uri()
        with closing(sqlite3.connect(root / "mlflow.db")) as database:
            tables.append(sorted(database.execute("SELECT tbl_name, name FROM sqlite_master")))
    assert tables[0] == tables[1]
    assert {path.name for path in kept.parent.iterdir()} == {"empty.db"}


@pytest.mark.parametrize("state", ["locked", "damaged"])
def test_a_database_that_cannot_be_used_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(mlflow_database, "_BUSY_SECONDS", 0.1)
    ensure_database(tmp_path)
    if state == "damaged":
        (tmp_path / "mlflow.db").write_text("no database")
        with pytest.raises(ReleaseError, match=r"mlflow\.db"):
            ensure_database(tmp_path)
        return
    with locked(tmp_path / "mlflow.db"), pytest.raises(ReleaseError, match=r"mlflow\.db.*locked"):
        ensure_database(tmp_path)
    ensure_database(tmp_path)


def test_an_empty_file_of_its_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    ensure_database(tmp_path)
    assert mlflow_client(tmp_path).search_experiments()


def test_a_teams_database_has_the_records_and_the_project_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, team = tmp_path / "project", tmp_path / "team's.db"
    make_tiny_bundle(root / "first", seed=1)
    monkeypatch.setenv(MLFLOW_VARIABLE, f"sqlite:///{team}")
    registry = Registry(root, PRODUCT)
    assert registry.register(open_bundle(root / "first"), None) == "1"
    registry.set_champion("1")
    monkeypatch.delenv(MLFLOW_VARIABLE)
    assert not (root / "mlflow.db").exists()
    assert Registry(root, PRODUCT).champion() is None
    assert (root / "mlflow.db").exists()
    monkeypatch.setenv(MLFLOW_VARIABLE, f"sqlite:///{team}")
    again = Registry(root, PRODUCT)
    assert again.champion() == "1"
    # A run of another database, as the ledger names it where the database is a new one.
    make_tiny_bundle(root / "second", seed=2)
    assert again.register(open_bundle(root / "second"), "f" * 32) == "2"


@pytest.mark.parametrize(
    "address", ["postgresql://team:s3cret@127.0.0.1:1/mlflow", "sqlite:////no/such/folder/a.db"]
)
def test_a_teams_database_that_does_not_answer_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(MLFLOW_VARIABLE, address)
    with pytest.raises(ReleaseError, match=r"does not answer|psycopg2") as caught:
        Registry(tmp_path, PRODUCT)
    assert "s3cret" not in str(caught.value)
    assert MLFLOW_VARIABLE in str(caught.value)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_a_database_that_was_not_finished_does_not_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed:
        def __init__(self, **_: object) -> None: ...

        def search_experiments(self) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mlflow.MlflowClient", Killed)
        patched.setattr(mlflow_database, "empty_database", lambda: tmp_path / "none")
        with pytest.raises(KeyboardInterrupt):
            ensure_database(tmp_path)
    assert list(tmp_path.iterdir()) == []
    ensure_database(tmp_path)
    made = (tmp_path / "mlflow.db").read_bytes()
    ensure_database(tmp_path)
    assert (tmp_path / "mlflow.db").read_bytes() == made
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
