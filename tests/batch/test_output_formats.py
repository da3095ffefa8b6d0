"""Rows are written so that a reader finds the values that were there, and a spreadsheet no formula."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.batch.output_formats import OutputFormat, format_of, is_json_lines
from pipeline.core.errors import DataError


def joined(path: Path, *tables: pa.Table, whole_rows: bool = False) -> Path:
    """Writes each table as a part, and the file of all of them."""
    format: OutputFormat = format_of(path, whole_rows=whole_rows)
    parts = [path.with_name(f"part{number}") for number in range(len(tables))]
    for part, table in zip(parts, tables, strict=True):
        format.write_part(part, table)
    format.join(path, parts, tables[0].schema)
    return path


def cells(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.reader(file, delimiter=separator)]


ROW: dict[str, Any] = {
    "text": 'so "good",\nand warm',
    "number": 1.25,
    "sure": True,
    "of": {"a": 0.5, "b": 0.5},
    "tags": ["x", "y"],
    "nothing": None,
    "at": datetime(2026, 1, 2, 3),
}


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ","), ("t.TSV", "\t")])
def test_a_table_of_text_has_a_header_and_json_for_what_is_no_text(
    name: str, separator: str, tmp_path: Path
) -> None:
    table = pa.Table.from_pylist([ROW])
    found = cells(joined(tmp_path / name, table, table), separator)
    assert found[0] == [*ROW]
    assert found[1] == found[2]
    assert found[1] == [
        'so "good",\nand warm',
        "1.25",
        "true",
        '{"a": 0.5, "b": 0.5}',
        '["x", "y"]',
        "",
        "2026-01-02 03:00:00",
    ]


def test_json_lines_hold_the_values_themselves(tmp_path: Path) -> None:
    path = joined(
        tmp_path / "t.jsonl", pa.Table.from_pylist([ROW, {**ROW, "number": float("nan")}])
    )
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert first == {**ROW, "at": "2026-01-02 03:00:00"}
    assert second["number"] is None


def test_a_row_of_json_keeps_its_form_beside_the_answer(tmp_path: Path) -> None:
    rows = pa.table({"json": ['{"b": 1.0, "a": "\\ud800é"}', "{}"], "label": ["x", "y"]})
    path = joined(tmp_path / "t.ndjson", rows, whole_rows=True)
    assert path.read_text(encoding="utf-8").splitlines() == [
        '{"b": 1.0, "a": "\\ud800é", "label": "x"}',
        '{"label": "y"}',
    ]


def test_parquet_keeps_types_and_has_the_same_bytes_whatever_its_parts(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{**ROW, "number": float(number)} for number in range(50)])
    one = joined(tmp_path / "one.parquet", table)
    many = joined(tmp_path / "many.parquet", table.slice(0, 7), table.slice(7, 20), table.slice(27))
    assert one.read_bytes() == many.read_bytes()
    assert pq.read_table(many).equals(table)


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "=HYPERLINK(1)"]
)
def test_a_spreadsheet_finds_no_formula_in_a_table(text: str, tmp_path: Path) -> None:
    path = joined(tmp_path / "t.csv", pa.table({"text": [text], text: ["x"]}))
    assert cells(path) == [["text", f"'{text}"], [f"'{text}", "x"]]


@pytest.mark.parametrize("text", ["-5", "+3.25", "-.5e-3", "", "a=b", "1-2"])
def test_numbers_and_plain_texts_stay_as_they_are(text: str, tmp_path: Path) -> None:
    assert cells(joined(tmp_path / "t.csv", pa.table({"text": [text], "x": [1]})))[1][0] == text


def test_the_ending_of_a_file_is_its_format() -> None:
    assert is_json_lines(Path("a.JSONL"))
    assert not is_json_lines(Path("a.csv"))
    for name in ("a.xlsx", "a", "a.csv.gz", "a.json"):
        with pytest.raises(DataError, match="as the file to write"):
            format_of(Path(name), whole_rows=False)
