"""A small project whose label and prepare take rows that a test gives them, for tests of data versions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from flows.planning.codelock import refresh_code_lock
from flows.planning.resolution import refresh_build_file
from pipeline.core.artifacts.table_columns import LabelledRecords, PreparedRecords
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.files import write_json
from pipeline.data.versions import WITH_SOURCE_IDS
from tests.support.repository import PARAMS, PRODUCT, REPOSITORY, commit_all

Row = dict[str, Any]
LABELS = ("negative", "positive")


def made_row(number: int, **other: Any) -> Row:
    """A row; its label and split follow from its number unless they are given."""
    identifier = f"{number:016x}"
    label = other.get("label", LABELS[number % 2])
    usual = {
        "id": identifier,
        "source": "mail",
        "text": f"text {number}",
        "second": None,
        "label": label,
        "cluster": identifier,
        "split": ("train", "train", "validation", "test")[number % 4],
        "target": [float(LABELS.index(label))],
    }
    return usual | other


def made_rows(count: int) -> list[Row]:
    """Rows with the numbers from 0."""
    return [made_row(number) for number in range(count)]


def write_tables(folder: Path, rows: Sequence[Row]) -> None:
    """Writes what label and prepare leave: `label.parquet` and `prepare.parquet`."""
    own = any("source_id" in row for row in rows)
    for name, table in (("label", LabelledRecords), ("prepare", PreparedRecords)):
        columns = table.columns(source_ids=own)
        schema = pa.schema([WITH_SOURCE_IDS.field(column) for column in columns])
        kept = [{column: row.get(column) for column in columns} for row in rows]
        pq.write_table(pa.Table.from_pylist(kept, schema=schema), folder / f"{name}.parquet")


def make_data_project(root: Path, rows: Sequence[Row]) -> Path:
    """Writes, commits and builds the project at `root`."""
    (root / "data").mkdir(parents=True)
    (root / "annotations").mkdir()
    (root / "annotations" / ".gitkeep").touch()
    (root / "pipeline").symlink_to(REPOSITORY / "pipeline")
    (root / "products").mkdir()
    shutil.copy(PRODUCT, root / "products" / "movie-reviews.yaml")
    for file in (PARAMS, REPOSITORY / ".gitignore", REPOSITORY / ".dvcignore"):
        shutil.copy(file, root / file.name)
    source = {
        "name": "mail",
        "kind": "file",
        "origin": "mail.csv",
        "licence": "own",
        "waiver": None,
    }
    sizes = {"sha256": "0" * 64, "rows": len(rows), "bytes": 1}
    write_json(root / "data" / "manifest.json", {"sources": [source | sizes]})
    stages = {
        "collect": _stage("collect", "manifest.json", "manifest.json", []),
        "label": _stage("label", "label.parquet", "records.parquet", ["annotations"]),
        "prepare": _stage("prepare", "prepare.parquet", "records.parquet", ["artifacts/label"]),
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    commit_all(root)
    dvc(root, "init")
    build_rows(root, rows)
    commit_all(root)
    return root


def build_rows(root: Path, rows: Sequence[Row]) -> None:
    """Builds with other rows."""
    write_tables(root / "data", rows)
    refresh_build_file(root)
    refresh_code_lock(root)
    dvc(root, "repro")


def write_votes(root: Path, votes: Sequence[tuple[str, str, str]]) -> None:
    """Writes row id, annotator and label of each vote into annotations/."""
    lines = ["id,annotator,label", *(",".join(vote) for vote in votes)]
    (root / "annotations" / "votes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def dvc(root: Path, *arguments: str) -> None:
    """Runs DVC as a build does."""
    environment = chosen_environment(os.environ)
    environment["DVC_SITE_CACHE_DIR"] = str(root / ".modelyard" / "dvc")
    command = [sys.executable, "-m", "dvc", *arguments, "-q"]
    subprocess.run(command, cwd=root, env=environment, check=True)


def _stage(name: str, read: str, written: str, more: list[str]) -> dict[str, Any]:
    folder = f"artifacts/{name}"
    command = f"mkdir -p {folder} && cp data/{read} {folder}/{written}"
    return {
        "cmd": command,
        "deps": [f"data/{read}", *more],
        "params": [{"code.lock.json": [name]}],
        "outs": [f"{folder}/{written}"],
    }
