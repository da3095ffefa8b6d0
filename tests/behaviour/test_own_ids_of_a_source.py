"""A row is found by the id that its source gave it, in every table that people look at; without such ids, nothing differs."""

import csv
import io
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.fetching.fetch import fetch_sources
from pipeline import collect, label, prepare, validate
from pipeline.core.errors import DataError, LabelsNeededError
from pipeline.core.files import read_json
from pipeline.core.params import Params, parse_params
from pipeline.core.paths import Paths
from pipeline.data.found_rows import rows_of_build
from pipeline.data.tables import read_table
from tests.support.small_reviews import CORPUS, ROWS, at, checkpoint_of, params

TABLES = ("collect", "validate", "label")
COPY, EMPTY, TOO_SHORT = "T-1000", "T-1001", "T-1002"


def lines_of(rows: Sequence[tuple[str, str, str]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("number", "text", "label"), *rows])
    return stream.getvalue()


REVIEWS = [(f"T-{number:03}", text, name) for number, (text, name) in enumerate(ROWS)]
ODD = [
    (COPY, ROWS[0][0].upper(), ROWS[0][1]),
    (EMPTY, "!!", "positive"),
    (TOO_SHORT, "a", "negative"),
]


def with_sources(root: Path, *changes: str, **keys: Any) -> Params:
    """The parameters of a product with a labelled source, to which `keys` are added, and a corpus."""
    data = root / "data"
    data.mkdir(parents=True)
    (data / "mine.csv").write_text(lines_of([*REVIEWS, *ODD]), encoding="utf-8")
    (data / "web.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    values = params(*checkpoint_of(root), *changes).model_dump(by_alias=True)
    mine = {"name": "mine", "path": "mine.csv", "text_column": "text", "label_column": "label"}
    web = {"name": "web", "path": "web.txt", "text_column": "text"}
    values["collect"]["sources"] = [mine | keys, web]
    return parse_params(values)


def built(root: Path, given: Params) -> Path:
    """Runs the data stages."""
    (root / "annotations").mkdir(exist_ok=True)
    for stage in (collect, validate, label, prepare):
        stage.run(given, at(root, stage.__name__.rpartition(".")[2]))
    return root / "artifacts"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The artifacts of a product whose source names its column of ids, and of one whose source does not."""
    roots = [tmp_path_factory.mktemp(name) for name in ("with", "without")]
    named, plain = with_sources(roots[0], id_column="number"), with_sources(roots[1])
    return built(roots[0], named), built(roots[1], plain)


@pytest.mark.parametrize(
    "table",
    [
        "collect/records.parquet",
        "collect/corpus.parquet",
        "validate/records.parquet",
        "validate/corpus.parquet",
        "validate/rejects.parquet",
        "label/records.parquet",
        "label/corpus.parquet",
        "prepare/records.parquet",
    ],
)
def test_own_ids_are_one_more_column_and_nothing_else_differs(
    both: tuple[Path, Path], table: str
) -> None:
    found, plain = (pq.read_table(artifacts / table) for artifacts in both)
    assert "source_id" not in plain.column_names
    assert found.drop(["source_id"]) == plain
    given = {text: own for own, text, _ in [*REVIEWS, *ODD]}
    for own, text in zip(found["source_id"].to_pylist(), found["text"].to_pylist(), strict=True):
        assert own == given.get(text)


def test_every_row_that_was_read_is_in_a_table_by_its_own_id(both: tuple[Path, Path]) -> None:
    kept, taken = (
        read_table(both[0] / "validate" / f"{n}.parquet") for n in ("records", "rejects")
    )
    assert sorted([*kept["source_id"], *taken["source_id"]]) == sorted(
        own for own, _, _ in [*REVIEWS, *ODD]
    )
    assert set(taken["source_id"]) >= {EMPTY, TOO_SHORT}


def test_the_description_of_the_rows_names_the_column_where_it_is(both: tuple[Path, Path]) -> None:
    for artifacts in both:
        described = read_json(artifacts / "validate" / "croissant.json")
        names = [field["name"] for field in described["recordSet"][0]["field"]]
        assert names == pq.read_schema(artifacts / "validate" / "records.parquet").names


def test_where_a_row_has_gone_is_told_by_its_own_id_and_by_ours(both: tuple[Path, Path]) -> None:
    paths = Paths(both[0].parent)
    own, _, name = REVIEWS[5]
    (row,) = rows_of_build(paths, [own])
    labelled = read_table(both[0] / "label" / "records.parquet")
    assert row.id == labelled["id"][labelled["source_id"].index(own)]
    assert row.place == labelled["split"][labelled["source_id"].index(own)]
    assert (row.source, row.label, row.reason) == ("mine", name, None)
    assert rows_of_build(paths, [row.id]) == [row]
    (copied,) = [row for row in rows_of_build(paths, [COPY, REVIEWS[0][0]]) if row.reason]
    assert (copied.place, copied.reason) == ("taken out", "copy of another row")
    corpus = read_table(both[0] / "label" / "corpus.parquet")
    (document,) = rows_of_build(paths, [corpus["id"][0]])
    assert (document.place, document.source, document.source_id) == ("corpus", "web", None)
    assert rows_of_build(paths, ["T-9999"]) == []


def test_rows_of_two_texts_with_one_id_end_collect_before_a_table_is_there(tmp_path: Path) -> None:
    given = with_sources(tmp_path, id_column="number")
    text = lines_of([*REVIEWS, (REVIEWS[3][0], "Quite another text, this one.", "positive")])
    (tmp_path / "data" / "mine.csv").write_text(text)
    paths = at(tmp_path, "collect")
    with pytest.raises(DataError, match=r"lines 5 and 122 have the id 'T-003'"):
        collect.run(given, paths)
    assert [*paths.out.iterdir()] == []


def test_two_sources_may_use_one_id(tmp_path: Path) -> None:
    given = with_sources(tmp_path, id_column="number")
    (tmp_path / "data" / "other.csv").write_text("number,text\nT-000,Another text.\n")
    values = given.model_dump(by_alias=True)
    other = {"name": "o", "path": "other.csv", "text_column": "text", "id_column": "number"}
    values["collect"]["sources"].append(other)
    collect.run(parse_params(values), at(tmp_path, "collect"))
    rows = rows_of_build(Paths(tmp_path), ["T-000"])
    assert sorted((row.source, row.place) for row in rows) == [
        ("mine", "collected"),
        ("o", "collected"),
    ]


def test_the_sheet_of_rows_to_label_has_them_and_is_read_back_as_it_is(tmp_path: Path) -> None:
    given = with_sources(tmp_path, id_column="number")
    unlabelled = [(own, text, "") for own, text, _ in REVIEWS]
    (tmp_path / "data" / "mine.csv").write_text(lines_of(unlabelled))
    (tmp_path / "annotations").mkdir()
    for stage in ("collect", "validate"):
        {"collect": collect, "validate": validate}[stage].run(given, at(tmp_path, stage))
    paths = at(tmp_path, "label")
    with pytest.raises(LabelsNeededError):
        label.run(given, paths)
    sheet = paths.annotation_sheet.read_text(encoding="utf-8-sig")
    rows = [*csv.DictReader(io.StringIO(sheet, newline=""))]
    known = {text: (own, name) for own, text, name in REVIEWS}
    for row in rows:
        if row["text"] in known:
            assert row["source_id"] == known[row["text"]][0]
            row |= {"annotator": "ann", "label": known[row["text"]][1]}
    with (paths.annotations / "mine.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    label.run(given, paths)
    found = read_table(paths.out / "records.parquet")
    assert len(found["id"]) > 100
    for own, text in zip(found["source_id"], found["text"], strict=True):
        assert own == known[text][0]


def test_rows_of_a_database_have_their_own_ids(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute("create table tickets (number integer, text, label)")
        rows = [(int(own[2:]), text, name) for own, text, name in REVIEWS]
        database.executemany("insert into tickets values (?, ?, ?)", rows)
    database.close()
    given = with_sources(
        tmp_path,
        id_column="number",
        path="rows.parquet",
        url="sqlite:///crm.db",
        query="select * from tickets",
    )
    fetch_sources(tmp_path, given)
    collect.run(given, at(tmp_path, "collect"))
    found = read_table(at(tmp_path, "collect").out / "records.parquet")
    numbers = {text: str(number) for number, text, _ in rows}
    assert dict(zip(found["text"], found["source_id"], strict=True)) == numbers
