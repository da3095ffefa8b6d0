"""Reading files: each format gives the same rows, and an error names the line."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import DataError
from pipeline.data.rows import read_rows

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 512\n" % (b"cd" * 32)
EXPECTED = [{"text": 'a "b", c', "label": "1"}, {"text": "ü", "label": "0"}]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"table.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"text": ['a "b", c', "ü"], "label": [1, 0]}), path)
        return path
    contents = {
        "csv": '\ufefftext,more,label\r\n"a ""b"", c",x,1\r\nü,,0\r\n',
        "tsv": 'text\tmore\tlabel\n"a ""b"", c"\tx\t1\nü\t\t0\n',
        "jsonl": '{"text": "a \\"b\\", c", "label": 1}\n\n{"text": "ü", "label": "0"}\n',
    }
    path.write_text(contents[kind], encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    rows = read_rows(write(tmp_path, kind), columns=["text", "label"])
    assert [row for _, row in rows] == EXPECTED


def test_a_lone_quote_in_a_tsv_is_text(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text('text\n"Great" film\n"open\nplain\n')
    texts = [row["text"] for _, row in read_rows(path, columns=["text"])]
    assert texts == ['"Great" film', '"open', "plain"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,label\nfine,1\n\xe9t\xe9,0\n", "line 3: byte 0xe9 is not UTF-8"),
        ("a.csv", b'text,label\n"never closed,1\n', "unexpected end of data"),
        ("a.csv", b"text,label\nfine,1\nshort\n", "line 3: 1 fields where the header has 2"),
        ("a.csv", b"text,text\na,b\n", "is there twice"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"txt,label\na,1\n", "did you mean `txt`?"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", "line 1: not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"txet": "b"}\n', "line 2 has no column 'text'"),
        ("a.parquet", b"PAR?", "not Parquet"),
        ("a.xlsx", b"PK", "a file of one of these kinds"),
        ("a.csv", LFS, "a.csv is a git-lfs pointer of 128 bytes"),
        ("a.parquet", LFS, "a.parquet is a git-lfs pointer"),
        ("a.jsonl", b"\n <!doctype HTML><title>Sign in</title>", "a.jsonl is a web page"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_rows(tmp_path / name, columns=["text"]))
    assert message in str(caught.value)
