"""A data version is read in batches, whole, by pandas and by torch, and only when its bytes are the right ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from torch.utils.data import DataLoader, Dataset

from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file
from pipeline.core.paths import Paths
from pipeline.data.versions import (
    SCHEMA,
    WITH_SOURCE_IDS,
    SourceNote,
    VersionNote,
    add_note,
    balance,
    figures_of,
    load,
    present_rows,
    require_free,
    schema_of,
    write_rows,
)
from pipeline.problem.problems import problem_named
from tests.support.data_project import LABELS, Row, made_row, made_rows, write_tables

VOTES = {f"{3:016x}": {"민수": "positive", "ann": "negative"}, "unknown": {"ann": "positive"}}


def with_artifacts(root: Path, rows: list[dict[str, Any]]) -> Paths:
    """A project in which label and prepare have left these rows."""
    write_tables(root, rows)
    for stage in ("label", "prepare"):
        (root / "artifacts" / stage).mkdir(parents=True, exist_ok=True)
        (root / f"{stage}.parquet").rename(root / "artifacts" / stage / "records.parquet")
    return Paths(root)


def made_version(root: Path, count: int = 40, *, rows: Sequence[Row] = ()) -> Path:
    """A project with the version `v1`, as DVC and we leave it; returns its Parquet file."""
    paths = with_artifacts(root, [*rows] or made_rows(count))
    path = paths.versions / "v1.parquet"
    schema = schema_of(paths.read("label", "records.parquet"))
    write_rows(path, present_rows(paths, VOTES), schema=schema)
    path.with_name("v1.parquet.dvc").write_text(yaml.safe_dump({"outs": [{"path": path.name}]}))
    note = VersionNote(
        product="mails",
        problem="classification",
        labels=[*LABELS],
        made="2026-11-30T10:00:00+00:00",
        commit="0" * 40,
        uncommitted=False,
        sources=[SourceNote(name="mail", sha256="0" * 64, licence="own", rows=count)],
        **figures_of(path, problem=problem_named("classification"), labels=LABELS),
    )
    add_note(paths.versions, "v1", note)
    return path


def test_a_version_holds_the_rows_with_their_splits_and_votes(tmp_path: Path) -> None:
    made_version(tmp_path)
    version = load("v1", root=tmp_path)
    rows = version.arrow().to_pylist()
    voted = [{"annotator": name, "label": VOTES[f"{3:016x}"][name]} for name in ("ann", "민수")]
    assert rows == [made_row(n) | {"votes": voted if n == 3 else []} for n in range(40)]
    assert (version.note.rows, version.note.voted_rows) == (40, 1)
    assert version.note.balance == {"negative": 20, "positive": 20}
    assert version.note.splits == {"test": 10, "train": 20, "validation": 10}


def test_a_version_has_the_sources_own_ids_where_a_source_has_any(tmp_path: Path) -> None:
    rows = [made_row(n, source_id=f"T-{n}" if n % 2 else None) for n in range(20)]
    made_version(tmp_path, rows=rows)
    version = load("v1", root=tmp_path)
    assert version.schema == WITH_SOURCE_IDS
    assert version.arrow(columns=["id", "source_id"]).to_pylist() == [
        {"id": row["id"], "source_id": row["source_id"]} for row in rows
    ]
    assert version.pandas(split="train").columns.tolist() == WITH_SOURCE_IDS.names


def test_a_version_without_own_ids_says_that_it_has_no_such_column(tmp_path: Path) -> None:
    path = made_version(tmp_path)
    version = load("v1", root=tmp_path)
    assert version.schema == SCHEMA
    assert pq.read_schema(path).names == SCHEMA.names
    with pytest.raises(DataError, match="no column 'source_id' in a data version"):
        version.arrow(columns=["source_id"])


def test_splits_are_found_by_id_whatever_the_order_of_prepares_rows(tmp_path: Path) -> None:
    paths = with_artifacts(tmp_path, made_rows(20))
    prepared = paths.read("prepare", "records.parquet")
    table = pq.read_table(prepared)
    pq.write_table(table.take(list(range(19, -1, -1))), prepared)
    rows = pa.Table.from_batches(present_rows(paths, {})).to_pylist()
    assert [row["split"] for row in rows] == [made_row(n)["split"] for n in range(20)]


def test_rows_of_two_builds_do_not_become_one_version(tmp_path: Path) -> None:
    paths = with_artifacts(tmp_path, made_rows(20))
    prepared = paths.read("prepare", "records.parquet")
    pq.write_table(pq.read_table(prepared).slice(1), prepared)
    with pytest.raises(DataError, match="label has 20 rows and prepare 19, 1 of label's"):
        list(present_rows(paths, {}))


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made_version(tmp_path / name)
    one, two = (sha256_file(tmp_path / n / "versions" / "v1.parquet") for n in ("one", "two"))
    assert one == two


def test_it_is_read_in_batches_of_the_columns_and_the_split_that_are_asked_for(
    tmp_path: Path,
) -> None:
    made_version(tmp_path)
    version = load("v1", root=tmp_path)
    batches = [*version.batches(split="train", columns=["label", "id"], rows=8)]
    assert {batch.schema.names[0] for batch in batches} == {"label"}
    assert max(batch.num_rows for batch in batches) <= 8
    ids = [identifier for batch in batches for identifier in batch["id"].to_pylist()]
    assert ids == [f"{n:016x}" for n in range(40) if n % 4 < 2]
    assert version.reader(columns=["text"]).schema == pa.schema([SCHEMA.field("text")])
    assert version.arrow(split="test", columns=["text"]).num_rows == 10


def test_pandas_has_the_same_rows(tmp_path: Path) -> None:
    made_version(tmp_path)
    table = load("v1", root=tmp_path).pandas(split="validation", columns=["id", "label"])
    assert [*table.columns] == ["id", "label"]
    assert [*table["id"]] == [f"{n:016x}" for n in range(40) if n % 4 == 2]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # a machine of one processor
def test_torch_gets_each_row_once_however_many_workers_read(tmp_path: Path) -> None:
    made_version(tmp_path, 40_000)
    rows = load("v1", root=tmp_path).torch(split="train", columns=["id", "label"])
    assert isinstance(rows, Dataset)
    assert len(rows) == 20_000
    expected = {f"{n:016x}" for n in range(40_000) if n % 4 < 2}
    for workers in (0, 2):
        loader = DataLoader(rows, batch_size=5_000, num_workers=workers)
        ids = [identifier for batch in loader for identifier in batch["id"]]
        assert len(ids) == len(set(ids))
        assert set(ids) == expected


def test_a_file_with_other_bytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = made_version(tmp_path)
    path.write_bytes(b"no Parquet at all")
    with pytest.raises(DataError, match="never changes") as refused:
        load("v1", root=tmp_path)
    assert "dvc pull versions/v1.parquet.dvc" in refused.value.next_step


def test_a_file_that_is_not_here_is_asked_for_by_the_command_that_brings_it(tmp_path: Path) -> None:
    made_version(tmp_path).unlink()
    with pytest.raises(DataError, match="is not on this machine") as refused:
        load("v1", root=tmp_path)
    assert refused.value.next_step.startswith("`dvc pull versions/v1.parquet.dvc`")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda root: load("v3", root=root), "no data version 'v3'"),
        (lambda root: load("../v1", root=root), "as the name of a data version"),
        (lambda root: load("now", root=root), "as the name of a data version"),
        (lambda root: load("v1", root=root).arrow(columns=["txt"]), "no column 'txt'"),
        (lambda root: load("v1", root=root).arrow(split="dev"), "no split 'dev'"),
        (lambda root: require_free(Paths(root).versions, "v1"), "a data version 'v1' already"),
        (lambda root: require_free(Paths(root).versions, "V2"), "as the name of a data version"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_said(tmp_path: Path, call: Any, said: str) -> None:
    made_version(tmp_path)
    with pytest.raises(DataError, match=said):
        call(tmp_path)


@pytest.mark.parametrize("text", ["outs: []", "meta: {modelyard: {rows: many}}", "meta: [", "- 1"])
def test_a_note_that_we_did_not_write_is_named(tmp_path: Path, text: str) -> None:
    path = made_version(tmp_path)
    path.with_name("v1.parquet.dvc").write_text(text)
    with pytest.raises(DataError, match=r"versions/v1\.parquet\.dvc holds no note"):
        load("v1", root=tmp_path)


def test_the_balance_counts_each_of_several_labels_and_shows_how_numbers_are_spread() -> None:
    several = pa.chunked_array([["late|rude", "late", ""]])
    found = balance(several, problem=problem_named("multi_label"), labels=["late", "rude", "lost"])
    assert found == {"late": 2, "rude": 1, "lost": 0}
    numbers = pa.chunked_array([["1.0", "2.5", "1.0"]])
    found = balance(numbers, problem=problem_named("regression"), labels=["stars"])
    assert (found["rows"], found["mean"], found["most"]) == (3, 1.5, 2.5)
