"""The file that names the newest build of a workspace: its bundle, and its MLflow run once that is known.

A release is attributed to the MLflow run that made its bundle. The file names the bundle, so that a
build that was killed before it was kept is not taken for the one before it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.tracking.facts import BuildStarted, RunStarted, StageEnded
from flows.tracking.outbox import Outbox
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.core.paths import Paths
from pipeline.core.typed_json import read_as


@dataclass(frozen=True, kw_only=True)
class LastBuild:
    """One build; `build` and `bundle` are empty in files of an older version."""

    mlflow_run_id: str | None
    build: str = ""
    bundle: str = ""


def read_last_build(path: Path) -> LastBuild | None:
    """The content of the file; None where there is none."""
    return read_as(LastBuild, read_json(path)) if path.exists() else None


def write_last_build(path: Path, build: LastBuild) -> None:
    """Writes the file."""
    write_json(path, asdict(build))


def bundle_hash(workspace: Path) -> str:
    """The hash of the bundle that the gate left in a workspace; empty where there is none."""
    manifest = Paths(workspace, "gate").out / "bundle" / "manifest.json"
    return sha256_file(manifest) if manifest.exists() else ""


def fill_run_ids(root: Path, outbox: Outbox, ids: Mapping[str, str]) -> None:
    """Completes the files of the builds in an outbox, after it was told to MLflow.

    `ids` are MLflow's names. A build that left the bundle in the main root and was killed before it was
    kept is kept now.
    """
    run, kept = "", dict[int, Path]()
    for fact in outbox.facts():
        if isinstance(fact, RunStarted):
            run = fact.run
        elif isinstance(fact, BuildStarted):
            kept[fact.build] = root / fact.kept
        elif isinstance(fact, StageEnded) and fact.stage == "gate" and fact.name == "Completed":
            _adopt(root, kept[fact.build], f"{run}/{fact.build}", fact.bundle or "")
    for number, path in kept.items():
        noted, run_id = read_last_build(path), ids.get(str(number))
        if noted and run_id and noted.build == f"{run}/{number}" and not noted.mlflow_run_id:
            write_last_build(
                path, LastBuild(mlflow_run_id=run_id, build=noted.build, bundle=noted.bundle)
            )


def _adopt(root: Path, path: Path, mark: str, bundle: str) -> None:
    noted = read_last_build(path)
    known = noted is not None and noted.bundle == bundle
    if path.parent == Paths(root).state and not known and bundle == bundle_hash(root) != "":
        write_last_build(path, LastBuild(mlflow_run_id=None, build=mark, bundle=bundle))
