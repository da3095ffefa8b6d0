"""A JSON file of another shape is told what it is, and how jq turns it; no word of its rows is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.core.errors import DataError
from pipeline.data.layout import Layout
from pipeline.data.rows import read_rows

ROWS = [{"text": f"The kettle {n} works", "label": "good"} for n in range(6)]
TEXTS = [row["text"] for row in ROWS]


def told(folder: Path, content: str, name: str = "a.json") -> str:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        [*read_rows(path, columns=[], optional=["text"], layout=Layout())]
    assert "kettle" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "program"),
    [
        ({"data": ROWS}, ".data[]"),
        ({"version": 1, "my rows": ROWS}, '.["my rows"][]'),
        ({"features": [{"name": "text"}], "rows": [{"row": row} for row in ROWS]}, ".rows[].row"),
        ({"train": ROWS, "test": ROWS[:2]}, ".train[], .test[]"),
        ({str(n): row for n, row in enumerate(ROWS)}, ".[]"),
        (dict.fromkeys(TEXTS, "good"), "to_entries[] | {text: .key, label: .value}"),
        ({"good": TEXTS[:4], "bad": TEXTS[4:]}, ".key as $k | .value[] | {text: ., label: $k}"),
        (TEXTS, ".[] | {text: .}"),
        ([[text, "good"] for text in TEXTS], ".[] | {text: .[0], label: .[1]}"),
        ([json.dumps(ROWS)], ".[] | fromjson"),
    ],
)
def test_a_shape_is_told_with_the_command_that_turns_it(
    tmp_path: Path, value: Any, program: str
) -> None:
    for indent in (None, 2):
        said = told(tmp_path, json.dumps(value, indent=indent))
        assert f"jq -c '{program}' a.json > a.jsonl" in said or program in said


@pytest.mark.parametrize(
    "value",
    [
        {"columns": ["text"], "index": [0, 1], "data": [[text] for text in TEXTS]},
        {"text": TEXTS, "label": ["good"] * 6},
        {"text": dict(enumerate(TEXTS)), "label": dict.fromkeys(range(6), "good")},
    ],
)
def test_columns_of_pandas_are_told_as_such(tmp_path: Path, value: Any) -> None:
    assert 'orient="records", lines=True' in told(tmp_path, json.dumps(value))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("".join(map(json.dumps, ROWS)), "several JSON values in one line"),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), "an object that spans lines"),
        (",\n".join(map(json.dumps, ROWS)), "a comma after the object"),
        ("[" + ",".join(map(json.dumps, ROWS)) + ",]", "a comma before the closing bracket"),
        ("\n".join(map(str, ROWS)), "single quotes, as Python prints"),
        ("\n".join(map(json.dumps, ROWS))[:-9], "line 6: not JSON (the file ends in the middle"),
        (json.dumps(ROWS)[:-9], "line 1: not JSON (the file ends in the middle"),
        (json.dumps(ROWS[0]) + '\n{"text": ' + "9" * 5000 + "}", "a number of thousands of digits"),
        (json.dumps(ROWS[0]) + "\nnull", "line 2: not a JSON object, but null"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(tmp_path: Path, content: str, message: str) -> None:
    assert message in told(tmp_path, content)


def test_objects_as_python_prints_them_are_told_in_an_array_too(tmp_path: Path) -> None:
    assert "single quotes, as Python prints" in told(tmp_path, str(ROWS))


def test_a_value_that_is_no_object_is_told_by_its_place_in_the_array(tmp_path: Path) -> None:
    assert "value 7 of the array: not a JSON object" in told(tmp_path, json.dumps([*ROWS, None]))


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_the_command_for_a_packed_file_unpacks_it(tmp_path: Path, packing: str) -> None:
    for indent in (None, 2):
        path = tmp_path / "a.json.gz"
        with pa.output_stream(str(path), compression=packing) as stream:
            stream.write(json.dumps({"data": ROWS}, indent=indent).encode())
        with pytest.raises(DataError) as caught:
            [*read_rows(path, columns=[], optional=["text"], layout=Layout())]
        assert f"{packing} -dc a.json.gz | jq -c '.data[]' > a.jsonl" in str(caught.value)


def test_arrays_one_a_line_are_told_as_such(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps([text, "good"]) for text in TEXTS)
    assert "jq -c '{text: .[0], label: .[1]}' a.jsonl > lines-a.jsonl" in told(
        tmp_path, lines, "a.jsonl"
    )
    assert "jq -c '.[]'" in told(tmp_path, json.dumps(ROWS) + "\n" + json.dumps(ROWS))


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "One", "spans": [{"start": 0}, {"start": 2}]}],
        [{"text": "One", "label": "good", "id": "7", "time": "8", "place": "9"}],
        [{"tokens": ["One", "two"], "tags": ["A", "B"], "text": "One two"}],
    ],
)
def test_one_row_alone_is_a_row(tmp_path: Path, rows: Sequence[Any]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = [*read_rows(path, columns=["text"], layout=Layout())]
    assert [row["text"] for _, row in read] == [row["text"] for row in rows]
