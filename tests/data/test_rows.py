"""Reading files: each format gives the same rows, and an error names the line."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import DataError
from pipeline.data.layout import Layout
from pipeline.data.rows import header_of, read_rows

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


KOREAN = "text,label\r\n배송이 느려서 답답했어요,부정\r\n포장이 꼼꼼해서 믿음이 가요,긍정\r\n" * 1
HANGUL = [("배송이 느려서 답답했어요", "부정"), ("포장이 꼼꼼해서 믿음이 가요", "긍정")]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8-sig", None),
        ("utf-16", None),
        ("cp949", "cp949"),
        ("euc_kr", "cp949"),
        ("utf-16-le", "utf-16-le"),
        ("utf-8", "utf-8"),
    ],
)
def test_a_source_may_name_its_encoding_and_a_mark_says_it_by_itself(
    tmp_path: Path, encoding: str, named: str | None
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(KOREAN.encode(encoding))
    rows = read_rows(path, columns=["text", "label"], layout=Layout(encoding=named))
    assert [(row["text"], row["label"]) for _, row in rows] == HANGUL


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_the_one_by_which_the_header_has_the_columns_or_the_one_that_is_named(
    tmp_path: Path, separator: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f'text{separator}label\n"good, warm"{separator}1\n')
    for layout in (Layout(), Layout(separator=separator)):
        [(line, row)] = read_rows(path, columns=["text", "label"], layout=layout)
        assert (line, row) == (2, {"text": "good, warm", "label": "1"})
        assert header_of(path, Layout(separator=separator)) == ["text", "label"]


def test_the_line_by_which_excel_says_its_separator_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfsep=;\r\ntext;label\r\ngood, warm;1\r\n")
    [(line, row)] = read_rows(path, columns=["text", "label"])
    assert (line, row) == (3, {"text": "good, warm", "label": "1"})


def test_a_tsv_may_have_line_breaks_and_tabs_inside_quotes(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text('text\tlabel\n"one\ntwo\tthree"\ta\n"said ""no"""\tb\n')
    rows = [row for _, row in read_rows(path, columns=["text", "label"])]
    assert rows == [{"text": "one\ntwo\tthree", "label": "a"}, {"text": 'said "no"', "label": "b"}]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_lines_may_end_as_on_an_old_mac(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\r".join(lines), encoding="utf-8", newline="")
    assert [row for _, row in read_rows(path, columns=["text", "label"])] == EXPECTED


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_one_array_of_objects_is_read_too(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"table.{kind}"
    path.write_text(json.dumps(EXPECTED, indent=1, ensure_ascii=False), encoding="utf-8")
    assert [row for _, row in read_rows(path, columns=["text", "label"])] == EXPECTED


def test_parquet_holds_text_in_many_types(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    texts = ["배송이 느려요", "good"]
    columns = {
        "plain": texts,
        "bytes": [text.encode() for text in texts],
        "codes": pa.array(texts).dictionary_encode(),
        "large": pa.array(texts, pa.large_string()),
    }
    pq.write_table(pa.table(columns | {"number": [Decimal("4.50"), Decimal("1.25")]}), path)
    rows = [row for _, row in read_rows(path, columns=[*columns, "number"])]
    assert [{*row.values()} for row in rows] == [{"배송이 느려요", "4.50"}, {"good", "1.25"}]


@pytest.mark.parametrize("value", [["a", "b"], {"en": "a"}])
def test_a_list_or_an_object_is_no_text(tmp_path: Path, value: object) -> None:
    path = tmp_path / "table.jsonl"
    path.write_text(json.dumps({"text": "fine"}) + "\n" + json.dumps({"text": value}))
    with pytest.raises(DataError, match=r"line 2: the column 'text' holds an? (list|object)"):
        list(read_rows(path, columns=["text"]))
    [_, (_, row)] = read_rows(path, columns=["text"], lists=["text"])
    assert json.loads(row["text"]) == value


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,label\nfine,1\n\xe9t\xe9,0\n", "line 3: byte 0xe9 is not UTF-8"),
        ("a.csv", b'text,label\n"never closed,1\n', "unexpected end of data"),
        ("a.csv", b"text,label\nfine,1\nshort\n", "line 3: 1 field where the header has 2"),
        ("a.csv", b"text,text\na,b\n", "is there twice"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"txt,label\na,1\n", "did you mean `txt`?"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", "value 1 of the array: not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"txet": "b"}\n', "line 2 has no column 'text'"),
        ("a.parquet", b"PAR?", "not Parquet"),
        ("a.xlsx", b"PK", "CSV UTF-8"),
        ("a.csv", b"PK\x03\x04\x00", "an Excel workbook"),
        ("a.jsonl.gz", b"\x1f\x8b\x08", "cannot be unpacked"),
        ("a.csv", LFS, "a.csv is a git-lfs pointer of 128 bytes"),
        ("a.parquet", LFS, "a.parquet is a git-lfs pointer"),
        ("a.jsonl", b"\n <!doctype HTML><title>Sign in</title>", "a.jsonl is a web page"),
        ("a.doc", b"text", "a file of one of these kinds"),
        ("a.json", b'{\n "text": ["a", "b"]\n}', "one JSON object a line, or one array of objects"),
        ("a.jsonl", b"[" * 200_000, "not JSON"),
        ("a.json", b'[{"text": "a"}, 3]', "value 2 of the array: not a JSON object"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_rows(tmp_path / name, columns=["text"]))
    assert message in str(caught.value)
