"""A file of any kind gives its texts, and keeps its columns as the output can hold them."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.batch.input_file import open_input
from pipeline.batch.input_parts import PART_ROWS, InputPart, InputRows, parts_of
from pipeline.core.errors import DataError

ANSWERS = ("label", "probability", "error")


def opened(path: Path, **options: Any) -> tuple[InputRows, str]:
    usual = {"texts": [("text",)], "columns": None, "prefix": None, "whole_json": False}
    return open_input(path, answers=ANSWERS, **{**usual, **options})


def read(path: Path, **options: Any) -> list[InputPart]:
    return [*parts_of(opened(path, **options)[0])]


def texts(parts: Sequence[InputPart]) -> list[Any]:
    return [request for part in parts for request in part.requests]


def saved(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


TABLE = 'id,text,note\n1,"good, warm",a\n2,bad,\n'


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("t.csv", TABLE, "utf-8"),
        ("t.csv", TABLE.replace("good, warm", "좋은, 영화"), "cp949"),
        ("t.csv", 'id;text;note\n1;"good, warm";a\n2;bad;\n', "utf-16"),
        ("t.tsv", "id\ttext\tnote\n1\tgood, warm\ta\n2\tbad\t\n", "utf-8"),
        ("odd", TABLE, "utf-8-sig"),
    ],
)
def test_tables_are_read_as_they_are_written(
    name: str, text: str, encoding: str, tmp_path: Path
) -> None:
    (part,) = read(saved(tmp_path / name, text, encoding))
    first = "좋은, 영화" if encoding == "cp949" else "good, warm"
    assert part.requests == [first, "bad"]
    assert part.kept.to_pydict() == {"id": ["1", "2"], "text": [first, "bad"], "note": ["a", ""]}


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz", "t.csv.zst"])
def test_packed_files_are_read_as_what_is_in_them(name: str, tmp_path: Path) -> None:
    content = (TABLE if ".csv" in name else '{"text": "good"}\n{"text": "bad"}\n').encode()
    packed = (
        gzip.compress(content)
        if name.endswith(".gz")
        else pa.compress(content, "zstd", asbytes=True)
    )
    (tmp_path / name).write_bytes(packed)
    assert len(texts(read(tmp_path / name))) == 2


def test_columns_of_parquet_keep_their_types(tmp_path: Path) -> None:
    rows = {"text": ["good"], "at": [datetime(2026, 1, 2)], "tags": [["a", "b"]], "n": [3]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    (part,) = read(tmp_path / "t.parquet")
    assert part.kept.to_pydict() == rows
    assert part.kept.schema.field("tags").type == pa.list_(pa.string())


def test_rows_of_json_stay_whole_for_json_lines_and_become_cells_for_a_table(
    tmp_path: Path,
) -> None:
    rows = [{"text": "good", "n": 1.5, "of": {"a": [1]}}, {"n": None, "text": "bad"}]
    path = saved(tmp_path / "t.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    (whole,) = read(path, whole_json=True)
    assert [json.loads(row) for row in whole.kept["json"].to_pylist()] == rows
    (cells,) = read(path)
    assert cells.kept.to_pylist() == [
        {"text": "good", "n": "1.5", "of": '{"a": [1]}'},
        {"text": "bad", "n": "", "of": ""},
    ]
    (chosen,) = read(path, columns=["n"], whole_json=True)
    assert [json.loads(row) for row in chosen.kept["json"].to_pylist()] == [{"n": 1.5}, {"n": None}]


def test_a_column_that_comes_late_in_json_is_not_lost_in_silence(tmp_path: Path) -> None:
    rows = [{"text": "good"}] * 1_100 + [{"text": "bad", "late": 1}]
    path = saved(tmp_path / "t.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(DataError, match="line 1101: the column 'late'"):
        read(path)
    assert len(texts(read(path, columns=["text"]))) == 1_101
    assert len(texts(read(path, whole_json=True))) == 1_101


def test_parts_are_the_same_rows_whenever_the_file_is_read(tmp_path: Path) -> None:
    count = 2 * PART_ROWS + 5
    path = saved(tmp_path / "t.csv", "text\n" + "good\n" * count)
    parts = read(path)
    assert [(part.start, part.end) for part in parts] == [
        (0, PART_ROWS),
        (PART_ROWS, 2 * PART_ROWS),
        (2 * PART_ROWS, count),
    ]
    assert sum(part.lines for part in parts) == count + 1
    long = saved(tmp_path / "long.csv", "text\n" + f"{'good ' * 50_000}\n" * 20)
    assert max(part.rows for part in read(long)) < 20


def test_the_first_columns_that_the_file_has_are_those_of_the_texts(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.csv", "review,reply\ngood,bad\n")
    assert texts(read(path, texts=[("text",), ("review",)])) == ["good"]
    assert texts(read(path, texts=[("review", "reply")])) == [("good", "bad")]
    with pytest.raises(DataError, match="no column 'reviews'") as missing:
        read(path, texts=[("reviews",)])
    assert missing.value.next_step == "name the column with --text; did you mean 'review'?"
    with pytest.raises(DataError, match="no column 'other'"):
        read(path, columns=["other"])


def test_answers_get_other_names_where_the_file_has_theirs(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.csv", "text,label\ngood,x\n")
    assert opened(path)[1] == "predicted_"
    assert opened(path, columns=["text"])[1] == ""
    assert opened(path, prefix="model_")[1] == "model_"
    with pytest.raises(DataError, match="the column 'label', which is also the name of an answer"):
        opened(path, prefix="")


def test_a_row_of_json_that_is_called_as_an_answer_is_refused_where_it_stands(
    tmp_path: Path,
) -> None:
    rows = [{"text": "good"}] * 1_100 + [{"text": "bad", "error": "mine"}]
    path = saved(tmp_path / "t.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(DataError, match="line 1101: the column 'error'"):
        read(path, whole_json=True)


def test_a_malformed_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3"):
        read(saved(tmp_path / "t.csv", "id,text\n1,good\n2,bad,more\n"))
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="not Parquet"):
        read(tmp_path / "t.parquet")
