"""Labels that people gave are read from every file that holds some; the last word of each counts."""

import json
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import DataError
from pipeline.data.annotations import Annotations, read_annotations
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION = PROBLEMS["classification"]
ROW, OTHER = "73928e0511112222", "0123456789abcdef"


def read(folder: Path, *known: str) -> Annotations:
    return read_annotations(
        folder, problem=CLASSIFICATION, labels=["good", "bad"], known={ROW, OTHER, *known}
    )


def label_of(folder: Path, header: str, *lines: str) -> str:
    """Mina's label for the row, from one CSV file."""
    (folder / "votes.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    return read(folder)[ROW]["mina"]


def timed(folder: Path, *votes: tuple[str, str]) -> str:
    lines = (f"{ROW},mina,{label},{time}" for label, time in votes)
    return label_of(folder, "id,annotator,label,time", *lines)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-01-09T09:05:00Z", "2026-01-10T09:05:00Z"),
        ("2026-01-02T00:30:00+09:00", "2026-01-01T16:00:00Z"),  # 15:30 and 16:00 in Greenwich
        ("2026-01-01T09:30:00+09:00", "2026-01-01T01:00:00"),  # no offset is UTC
        ("2026-01-01 00:00:00.250", "2026-01-01 00:00:00.5"),
        ("2026-01-01T10:00:00-0500", "2026-01-01T15:00:01Z"),
        ("2026-01-01", "2026-01-01T00:01Z"),
        ("20260101T090000Z", "2026-01-01T10:00+00:30"),
        ("", "1999-12-31T23:59:59Z"),  # a line without a time is the earliest
    ],
)
def test_the_label_of_the_later_instant_counts(tmp_path: Path, first: str, second: str) -> None:
    assert timed(tmp_path, ("good", first), ("bad", second)) == "bad"
    assert timed(tmp_path, ("bad", second), ("good", first)) == "bad"


def test_of_equal_times_the_later_line_counts(tmp_path: Path) -> None:
    at, same = "2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00Z"
    assert timed(tmp_path, ("good", at), ("bad", same)) == "bad"
    assert label_of(tmp_path, "id,annotator,label", f"{ROW},mina,bad", f"{ROW},mina,good") == "good"


@pytest.mark.parametrize(
    "time",
    [
        *("1/10/2026 9:05", "10.01.2026", "2026-1-2", "2026-01-02 9:05", "2026-13-01", "yesterday"),
        *("2026-01-01T25:00", "46032.378", "1712011200000", "2026-01-01T09:00 KST", "오전 9:05"),
        "0001-01-01T00:00:00+09:00",
    ],
)
def test_a_time_that_is_not_iso_8601_is_refused_with_its_line(tmp_path: Path, time: str) -> None:
    with pytest.raises(DataError, match=r"votes\.csv, line 3: the time"):
        timed(tmp_path, ("good", "2026-01-01"), ("bad", time))


def test_a_name_in_another_spelling_of_the_same_letters_is_the_same_person(tmp_path: Path) -> None:
    names = ["민아", unicodedata.normalize("NFD", "민아"), " 민아 "]
    lines = [
        f"{ROW} ,{name},{label}" for name, label in zip(names, ("good", "good", "bad"), strict=True)
    ]
    (tmp_path / "votes.csv").write_text("\n".join(["id,annotator,label", *lines]), encoding="utf-8")
    assert read(tmp_path) == {ROW: {"민아": "bad"}}


@pytest.mark.parametrize("column", ["sequence", "seq"])
def test_a_sequence_number_orders_the_labels_of_a_person(tmp_path: Path, column: str) -> None:
    header = f"id,annotator,label,time,{column}"
    set_back = [f"{ROW},mina,bad,2026-01-01,10", f"{ROW},mina,good,2026-01-02,9"]
    assert label_of(tmp_path, header, *set_back) == "bad"
    # Where a line has none, the times decide.
    assert label_of(tmp_path, header, set_back[0], f"{ROW},mina,good,2026-01-02,") == "good"


@pytest.mark.parametrize("number", ["first", "1.5", "-1", "1e3"])
def test_a_sequence_number_that_is_none_is_refused_with_its_line(
    tmp_path: Path, number: str
) -> None:
    with pytest.raises(DataError, match=r"votes\.csv, line 2: the sequence number"):
        label_of(tmp_path, "id,annotator,label,seq", f"{ROW},mina,good,{number}")


@pytest.mark.parametrize(
    "damaged",
    ["5.2E+19", "7.39E+09", "7,39E+09", "7E+09", "5.2e+19", "1.23457E+15", "1234567890123450"],
)
def test_an_id_that_a_spreadsheet_made_a_number_of_is_refused_with_its_line(
    tmp_path: Path, damaged: str
) -> None:
    lines = f'id,annotator,label\n{ROW},mina,good\n"{damaged}",mina,bad\n'
    (tmp_path / "sheet.csv").write_text(lines)
    with pytest.raises(DataError, match=r"sheet\.csv, line 3: .* is a number that a spreadsheet"):
        read(tmp_path)


def test_an_id_that_only_looks_like_a_number_is_read(tmp_path: Path) -> None:
    for identifier in ("1234567890123450", "73928e05", "73928e0511112222"):
        (tmp_path / "sheet.csv").write_text(f"id,annotator,label\n{identifier},mina,bad\n")
        assert read(tmp_path, identifier) == {identifier: {"mina": "bad"}}
    # Ids of no row that no spreadsheet wrote are not refused: the stage tells of them.
    (tmp_path / "sheet.csv").write_text("id,annotator,label\n1234567890123456,mina,bad\n")
    assert read(tmp_path) == {"1234567890123456": {"mina": "bad"}}


def test_every_kind_of_file_is_read_whatever_the_case_of_its_ending(tmp_path: Path) -> None:
    vote = {"id": ROW, "label": "good"}
    (tmp_path / "a.CSV").write_text(f"id,annotator,label\n{ROW},a,good\n")
    (tmp_path / "b.tsv").write_text(f"id\tannotator\tlabel\n{ROW}\tb\tgood\n")
    (tmp_path / "c.jsonl").write_text(json.dumps(vote | {"annotator": "c"}))
    (tmp_path / "d.ndjson").write_text(json.dumps(vote | {"annotator": "d"}))
    (tmp_path / "e.json").write_text(json.dumps([vote | {"annotator": "e"}]))
    columns = {"id": [ROW, ROW], "annotator": ["f", "f"], "label": ["good", "bad"]}
    times = [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    pq.write_table(pa.table(columns | {"time": times}), tmp_path / "f.parquet")
    assert read(tmp_path) == {ROW: dict.fromkeys("abcdef", "good")}


def test_what_is_no_file_of_labels_does_not_stop_the_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "votes.csv").write_text(f"id,annotator,label\n{ROW},mina,good\n")
    for name in ("guide.md", "notes.txt", "people.yaml", "votes.csv.dvc", ".gitkeep", "~$v.xlsx"):
        (tmp_path / name).write_text("The columns are id, annotator, label.\n")
    (tmp_path / "manifest.json").write_text('{"votes": 1}')
    for folder in ("guide", "skipped", "old"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.jsonl").write_text("{}")
    assert read(tmp_path) == {ROW: {"mina": "good"}}
    [said] = capsys.readouterr().out.splitlines()
    assert said.endswith("notes.txt, old/")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("votes.txt", f"id;annotator;label\n{ROW};mina;good\n", "holds labels, and is not read"),
        ("votes.txt", f"ID; Annotator; Label\n{ROW};mina;good\n", "holds labels"),
        ("votes", f'"id"\t"annotator"\t"label"\n{ROW}\tmina\tgood\n', "holds labels"),
        ("votes.log", json.dumps({"id": ROW, "annotator": "m", "label": "good"}), "holds labels"),
        ("votes.xlsx", "PK\x03\x04", "Excel workbook"),
        ("votes.csv", f"id,annotator\n{ROW},mina\n", "has no column 'label'"),
        ("votes.jsonl", '{"id": "1", "annotator": "mina", "lab', "not JSON"),
    ],
)
def test_labels_that_cannot_be_read_are_never_left_out_in_silence(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


@pytest.mark.parametrize(
    "separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"]
)
@pytest.mark.parametrize(
    "names",
    [
        ["ID", "Annotator", "Label"],
        ["id ", " annotator", "LABEL\xa0"],
        ["ｉｄ", "Ａｎｎｏｔａｔｏｒ", "ｌａｂｅｌ"],
        ["\ufeff\ufeffid", "annotator", "label"],
    ],
    ids=["capitals", "blanks", "full-width", "two-byte-order-marks"],
)
def test_a_header_that_people_wrote_otherwise_is_read(
    tmp_path: Path, names: list[str], separator: str
) -> None:
    row = dict(zip(names, [ROW, "mina", "good"], strict=True)) | {"Text": "a, b", "No.": "1"}
    for order in ([*row], [*reversed(row)]):
        lines = (
            separator.join(f'"{cell}"' for cell in cells) for cells in (order, map(row.get, order))
        )
        (tmp_path / "sheet.csv").write_text("\r\n".join(lines), encoding="utf-8")
        assert read(tmp_path) == {ROW: {"mina": "good"}}


@pytest.mark.parametrize(
    "write", [json.dumps, lambda vote: json.dumps([vote])], ids=["lines", "array"]
)
def test_names_in_capitals_are_read_from_json_and_parquet_too(
    tmp_path: Path, write: Callable[[object], str]
) -> None:
    vote = {"Label": "good", "ID": ROW, "ANNOTATOR": "mina"}
    (tmp_path / "sheet.jsonl").write_text(write(vote))
    assert read(tmp_path) == {ROW: {"mina": "good"}}
    (tmp_path / "sheet.jsonl").unlink()
    pq.write_table(pa.Table.from_pylist([vote]), tmp_path / "sheet.parquet")
    assert read(tmp_path) == {ROW: {"mina": "good"}}


def test_a_column_that_orders_the_labels_is_read_however_it_is_written(tmp_path: Path) -> None:
    votes = [f"{ROW},mina,bad,2026-01-02", f"{ROW},mina,good,2026-01-01"]
    assert label_of(tmp_path, "ID,Annotator,Label,Time", *votes) == "bad"


def test_a_column_of_the_exact_name_comes_before_one_that_is_like_it(tmp_path: Path) -> None:
    assert label_of(tmp_path, "ID,id,annotator,label", f"7,{ROW},mina,good") == "good"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "key,annotator,label",
            r"sheet\.csv has no column 'id'; its columns: key, annotator, label",
        ),
        (
            "id,annotator,lable",
            r"sheet\.csv has no column 'label'; its columns: id, annotator, lable",
        ),
        ("ID,Id,annotator,label", r"sheet\.csv: the column 'id' is there twice, as 'ID' and 'Id'"),
    ],
    ids=["another-name", "mistyped", "two-like-it"],
)
def test_a_header_that_is_not_clear_is_refused_with_what_it_is_and_should_be(
    tmp_path: Path, header: str, message: str
) -> None:
    row = {"ID": ROW, "Id": ROW, "id": ROW, "key": ROW, "annotator": "mina"}
    cells = (row.get(name, "good") for name in header.split(","))
    (tmp_path / "sheet.csv").write_text(f"{header}\n{','.join(cells)}\n")
    with pytest.raises(DataError, match=message) as refused:
        read(tmp_path)
    assert "product file" not in str(refused.value)
    if "twice" not in message:
        assert refused.value.expected.startswith("id, annotator, label")
        assert "Rename the column in that sheet" in refused.value.next_step


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_sheet_is_read_as_spreadsheets_of_other_countries_save_it(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    texts = ["배송이 빨라서 놀랐어요", "국물이 다 식어서 왔어요", "다시는 주문하지 않을 거예요"]
    rows = [["id", "text", "annotator", "label"], [ROW, texts[0], "미나", "good"]]
    rows += [[OTHER, text, "미나", "bad"] for text in texts[1:]]
    lines = (separator.join(row) for row in rows)
    (tmp_path / "sheet.csv").write_bytes("\r\n".join(lines).encode(encoding))
    assert read(tmp_path) == {ROW: {"미나": "good"}, OTHER: {"미나": "bad"}}
