"""What `modelyard data check` says of a file: the right answer, or one plain message; the file stays as it is."""

import csv
import gzip
import io
import json
import os
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from flows.data_check import as_json
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_tree
from pipeline.core.params import parse_params
from pipeline.data.file_check import FileFacts, check_file
from tests.support.repository import parameter_values

THINGS = ["kettle", "lamp", "jacket", "chair", "tent", "router", "blender"]
SAID = ["stopped working at once", "works as promised"]
ROWS = [
    (f"Order {n}: the {THINGS[n % 7]} {SAID[n % 2]}, {n} days on.", ["bad", "good"][n % 2])
    for n in range(40)
]
KOREAN = [
    (
        f"{n}번째 주문인데 배송이 {['느려서 답답했어요', '빨라서 좋았어요'][n % 2]}",
        "부정긍정"[n % 2 * 2 :][:2],
    )
    for n in range(40)
]
BOTH = {"bad": 20, "good": 20}


def checked(path: Path, *, text: str = "", label: str = "") -> tuple[FileFacts, DataError | None]:
    before = sha256_tree(path)
    limits = parse_params(parameter_values()).validate_
    found = check_file(path, text=text, label=label, limits=limits)
    assert sha256_tree(path) == before
    return found


def facts_of(path: Path, **columns: str) -> FileFacts:
    facts, error = checked(path, **columns)
    assert error is None, error
    return facts


def refused(path: Path, **columns: str) -> str:
    _, error = checked(path, **columns)
    assert error is not None
    return str(error)


def table(
    rows: Sequence[Sequence[Any]] = ROWS,
    header: Sequence[str] = ("text", "label"),
    separator: str = ",",
) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator).writerows([header, *rows])
    return stream.getvalue()


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(rows: Sequence[Any]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def test_a_csv_is_told_in_all_its_parts(tmp_path: Path) -> None:
    rows = [*ROWS, ("", "good"), ROWS[0], ("Write to me at ann@example.org today", "bad")]
    facts = facts_of(put(tmp_path, "a.csv", table(rows)))
    assert (facts.format, facts.encoding, facts.separator) == ("CSV", "utf-8", ",")
    assert (facts.rows, facts.labelled) == (43, 43)
    assert facts.labels == {"bad": 22, "good": 21}
    assert facts.rejects == {"empty": 1, "copy of another row": 1}
    assert facts.personal_data["email"] == 1
    assert facts.language == "English"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("said", ["", "sep"])
def test_a_separator_is_found_and_told(tmp_path: Path, separator: str, said: str) -> None:
    first = f"sep={separator}\r\n" if said else ""
    facts = facts_of(put(tmp_path, "a.csv", first + table(separator=separator)))
    assert (facts.separator, facts.labels) == (separator, BOTH)


def test_a_semicolon_in_quotes_and_commas_in_texts_do_not_mislead(tmp_path: Path) -> None:
    rows = [(f"{text}; really, it is", label, "4,5") for text, label in ROWS]
    facts = facts_of(put(tmp_path, "a.csv", table(rows, ("text", "label", "stars"), ";")))
    assert (facts.separator, facts.rows, facts.labels) == (";", 40, BOTH)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("cp949", "cp949"),
        ("euc_kr", "cp949"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-8-sig", "utf-8-sig"),
    ],
)
def test_an_encoding_is_named_and_read(tmp_path: Path, encoding: str, told: str) -> None:
    facts = facts_of(put(tmp_path, "a.csv", table(KOREAN).encode(encoding)))
    assert (facts.encoding, facts.language) == (told, "Korean")
    assert facts.labels == {"긍정": 20, "부정": 20}


def test_rows_without_a_label_are_rows_all_the_same(tmp_path: Path) -> None:
    facts = facts_of(put(tmp_path, "a.csv", table([(text,) for text, _ in ROWS], ["text"])))
    assert (facts.rows, facts.labelled, facts.labels) == (40, 0, {})
    half = [(text, label if n < 25 else "") for n, (text, label) in enumerate(ROWS)]
    facts = facts_of(put(tmp_path, "b.csv", table(half)))
    assert (facts.rows, facts.labelled) == (40, 25)
    assert "15 rows have no label" in facts.notes
    some = [{"text": t, "label": v} if n < 25 else {"text": t} for n, (t, v) in enumerate(ROWS)]
    assert facts_of(put(tmp_path, "c.jsonl", lines(some))).labelled == 25


def test_a_text_file_has_one_text_a_line(tmp_path: Path) -> None:
    texts = "\n\n".join(text for text, _ in ROWS)
    for name, content in (("a.txt", texts.encode()), ("b.txt.gz", gzip.compress(texts.encode()))):
        facts = facts_of(put(tmp_path, name, content))
        assert (facts.format, facts.rows, facts.labelled) == ("text", 40, 0)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_packed_files_are_read(tmp_path: Path, kind: str, packing: str) -> None:
    plain = {
        "csv": table(),
        "tsv": table(separator="\t"),
        "jsonl": lines([{"text": t, "label": v} for t, v in ROWS]),
    }[kind]
    ending = {"gzip": "gz", "zstd": "zst"}[packing]
    path = tmp_path / f"a.{kind}.{ending}"
    with pa.output_stream(str(path), compression=packing) as stream:
        stream.write(plain.encode())
    facts = facts_of(path)
    assert (facts.rows, facts.labels) == (40, BOTH)
    assert any(packing in note for note in facts.notes)


JSON_SHAPES = {
    "lines.json": lines([{"text": t, "label": v} for t, v in ROWS]),
    "array.jsonl": json.dumps([{"text": t, "label": v} for t, v in ROWS], indent=2),
    "array.json": json.dumps([{"text": t, "label": v} for t, v in ROWS]),
    "one.jsonl": lines([{"id": 1, "text": t, "label": [v], "Comments": []} for t, v in ROWS]),
    "studio.json": json.dumps(
        [
            {
                "id": n,
                "data": {"text": t},
                "annotations": [
                    {
                        "result": [
                            {"from_name": "tone", "type": "choices", "value": {"choices": [v]}}
                        ]
                    }
                ],
            }
            for n, (t, v) in enumerate(ROWS)
        ]
    ),
    "prodigy.jsonl": lines(
        [
            {"text": t, "label": v, "answer": "accept", "_input_hash": n, "_task_hash": n}
            for n, (t, v) in enumerate(ROWS)
        ]
    ),
    "argilla.json": json.dumps(
        [
            {"id": "1", "status": "completed", "fields": {"text": t}, "responses": {"tone": [{"value": v, "user_id": "u"}]}}
            for t, v in ROWS
        ]
    ),
    "spacy.jsonl": lines([{"text": t, "cats": {"bad": float(v == "bad"), "good": float(v == "good")}} for t, v in ROWS]),
    "choices.jsonl": lines(
        [
            {"text": t, "accept": [v], "options": [], "answer": "accept", "_input_hash": n, "_task_hash": n}
            for n, (t, v) in enumerate(ROWS)
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON_SHAPES)
def test_json_of_every_shape_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    facts = facts_of(put(tmp_path, name, JSON_SHAPES[name]))
    assert (facts.format, facts.rows, facts.labelled, facts.labels) == ("JSON", 40, 40, BOTH)


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("one.jsonl", "doccano"),
        ("studio.json", "Label Studio"),
        ("prodigy.jsonl", "Prodigy"),
        ("argilla.json", "Argilla"),
        ("spacy.jsonl", "spaCy"),
    ],
)
def test_an_export_of_an_annotation_tool_is_recognised(
    tmp_path: Path, name: str, tool: str
) -> None:
    assert f"an export of {tool}" in facts_of(put(tmp_path, name, JSON_SHAPES[name])).notes


def test_what_was_skipped_or_rejected_in_an_annotation_tool_has_no_label(tmp_path: Path) -> None:
    rows = [
        {"text": t, "label": v, "answer": "accept" if n < 30 else "reject", "_input_hash": n, "_task_hash": n}
        for n, (t, v) in enumerate(ROWS)
    ]  # fmt: skip
    assert facts_of(put(tmp_path, "a.jsonl", lines(rows))).labelled == 30
    tasks = json.loads(JSON_SHAPES["studio.json"])
    tasks[0]["annotations"][0]["was_cancelled"] = True
    tasks[1]["annotations"] = []
    assert facts_of(put(tmp_path, "b.json", json.dumps(tasks))).labelled == 38


def test_names_and_labels_in_another_unicode_form_are_the_same(tmp_path: Path) -> None:
    rows = [
        (text, label if n % 3 else unicodedata.normalize("NFD", label))
        for n, (text, label) in enumerate(KOREAN)
    ]
    header = [unicodedata.normalize("NFD", name) for name in ("본문", "감정")]
    path = put(tmp_path, unicodedata.normalize("NFD", "후기.csv"), table(rows, header))
    facts = facts_of(path, text="본문", label="감정")
    assert facts.labels == {"긍정": 20, "부정": 20}


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


TEXTS, LABELS = [text for text, _ in ROWS], [label for _, label in ROWS]


@pytest.mark.parametrize(
    "columns",
    [
        {"text": pa.array([t.encode() for t in TEXTS]), "label": pa.array(LABELS)},
        {"text": pa.array(TEXTS, pa.large_string()), "label": pa.array(LABELS).dictionary_encode()},
        {"text": pa.array(TEXTS, pa.string_view()), "label": pa.array([[v] for v in LABELS])},
        {"text": TEXTS, "label": LABELS, "day": pa.array(range(40), pa.timestamp("us", tz="UTC"))},
    ],
)
def test_parquet_of_every_type_is_read(tmp_path: Path, columns: dict[str, Any]) -> None:
    facts = facts_of(parquet(tmp_path / "a.parquet", **columns))
    assert (facts.format, facts.encoding, facts.labels) == ("Parquet", None, BOTH)


def test_a_folder_of_parquet_parts_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "a.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for part in range(2):
        parquet(folder / f"part-{part}.parquet", text=TEXTS[part::2], label=LABELS[part::2])
    assert facts_of(folder).rows == 40


def test_decimals_and_several_labels_are_read_as_what_they_are(tmp_path: Path) -> None:
    stars = [Decimal("4.50") if n % 2 else Decimal("1.25") for n in range(40)]
    assert facts_of(parquet(tmp_path / "a.parquet", text=TEXTS, stars=stars)).labels == {
        "stars": 40
    }
    topics = [["price", "speed"] if n % 2 else [] for n in range(40)]
    facts = facts_of(parquet(tmp_path / "b.parquet", text=TEXTS, topics=topics))
    assert (facts.labels, facts.labelled) == ({"price": 20, "speed": 20}, 40)


def numbered(value: str) -> str:
    return table([(t, value if n == 7 else f"{n % 30}.5") for n, (t, _) in enumerate(ROWS)], ("text", "stars"))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.csv", table(header=("text", "text")), "'text' is there twice"),
        ("a.csv", table() + "one,two,three\n", "line 42: 3 fields where the header has 2"),
        ("a.csv", table() + '"never closed,good\n', "unexpected end of data"),
        ("a.csv", "text,label\n" + "x" * 16_000_001, "more than 16,000,000 characters"),
        ("a.csv", numbered("1_000"), "line 9: '1_000' in stars"),
        ("a.csv", numbered("１２"), "line 9: '１２' in stars"),
        ("a.csv", numbered("inf"), "line 9: 'inf' in stars"),
        ("a.csv", numbered(" 4,5"), "line 9: ' 4,5' in stars"),
        ("a.csv", table([(t, "4,5") for t, _ in ROWS], ("text", "stars")), "line 2: numbers with a decimal comma"),
        ("a.csv", table([(n, v) for n, (_, v) in enumerate(ROWS)]), "no column that looks like texts"),
        ("a.csv", table([(t, -1 if n == 4 else n % 2) for n, t in enumerate(TEXTS)]), "line 6: the label -1"),
        ("a.csv", table(KOREAN * 9).encode().replace(b",", b"\xec,", 2), "line 1: byte 0xec is not UTF-8, and nearly all else in the file is"),
        ("a.csv", b"\x00\x01\x02\x03" * 400, "is no text, by its control characters"),
        ("a.jsonl", '{"text": "a", "text": "b"}', "line 1: not JSON (the key 'text' is there twice)"),
        ("a.jsonl", lines([{"text": {"en": t}, "label": v} for t, v in ROWS]), "line 1: the column 'text' holds an object"),
        ("a.jsonl", lines([{"text": t.split(), "label": v} for t, v in ROWS]), "line 1: the column 'text' holds a list"),
        ("a.jsonl", '{"text": ' + "[" * 200_000, "line 1: not JSON"),
        ("a.jsonl", lines([{"text": t, "label": [[0, 5, v]]} for t, v in ROWS]), "line 1: label holds"),
        ("a.jsonl", lines([{"text": t, "label": [v, "odd"] if n == 3 and v else [v]} for n, (t, v) in enumerate(ROWS * 4)]), "line 4: several labels"),
        ("a.json", json.dumps({"text": dict(enumerate(TEXTS)), "label": dict(enumerate(LABELS))}), 'orient="records"'),
        ("a.json", '[{"text": "a"},\n{"text": }]', "line 2: not JSON"),
        ("a.json", '[{"text": "a"}', "no bracket, after a value"),
        ("a.jsonl", '{"text": "\\ud800 and so on"}', "half of a character"),
        ("a.csv.gz", gzip.compress(table().encode(), mtime=0)[:60], "cannot be unpacked"),
        ("a.parquet", b"PAR1 and then nothing", "not Parquet"),
        ("a.parquet", table(), "not Parquet"),
        ("a.xlsx", b"PK\x03\x04", "CSV UTF-8"),
        ("a.csv", "<!doctype html><title>Sign in</title>", "is a web page"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_message(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    assert message in refused(put(tmp_path, name, content))


def test_a_file_that_is_not_there_and_a_wrong_column_are_told(tmp_path: Path) -> None:
    limits = parse_params(parameter_values()).validate_
    _, error = check_file(tmp_path / "no.csv", text="", label="", limits=limits)
    assert "there is no file" in str(error)
    assert "did you mean `--text text`" in refused(put(tmp_path, "a.csv", table()), text="txet")
    various = put(tmp_path, "b.csv", table([(t, f"case {n}") for n, t in enumerate(TEXTS)]))
    assert "40 different labels in 40 rows" in refused(various, label="label")
    assert facts_of(various).labelled == 0


def test_a_parquet_table_with_two_columns_of_a_name_is_told(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array(TEXTS), pa.array(TEXTS)], names=["text", "text"])
    pq.write_table(twice, tmp_path / "a.parquet")
    assert "'text' is there twice" in refused(tmp_path / "a.parquet")


def test_a_packed_file_that_unpacks_without_end_is_told_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.data.packed._HARMLESS", 100_000)
    bomb = put(tmp_path, "a.csv.gz", gzip.compress(b"text,label\n" + b"\n" * 5_000_000, mtime=0))
    assert "unpacks to more than 200 times its size" in refused(bomb)


def test_what_is_known_of_a_refused_file_is_told_with_the_refusal(tmp_path: Path) -> None:
    facts, error = checked(put(tmp_path, "a.csv", numbered("inf")))
    assert error is not None
    assert (facts.format, facts.encoding, facts.rows) == ("CSV", "utf-8", 40)


def test_rows_at_which_validate_stops_are_refused_with_all_that_is_known(tmp_path: Path) -> None:
    """One row an annotator: each text three times, and on some they disagree."""
    rows = [(text, label) for text, label in ROWS for _ in range(3)]
    rows += [(text, "good") for text, label in ROWS[:10] if label == "bad"]
    facts, error = checked(put(tmp_path, "crowd.csv", table(rows)))
    assert error is not None
    assert "copies with different labels" in error.got
    assert "annotations/" in error.next_step
    assert facts.rejects["copy of another row"] > 50


def test_texts_that_are_numbers_are_refused_as_validate_refuses_them(tmp_path: Path) -> None:
    rows = [(f"{n * 7919} {n}", label) for n, (_, label) in enumerate(ROWS)]
    assert "are numbers, without a letter" in refused(
        put(tmp_path, "n.csv", table(rows)), text="text"
    )


@pytest.mark.parametrize("name", ["long.csv", "long.txt"])
def test_a_first_line_that_is_longer_than_python_reads_by_itself_is_read(
    tmp_path: Path, name: str
) -> None:
    text = "Very long. " * 20_000
    content = (
        table([("short one", "bad"), *ROWS], header=[text, "label"]) if name == "long.csv" else text
    )
    facts, _ = checked(put(tmp_path, name, content))
    assert facts.format


def test_columns_of_pictures_and_of_wild_times_do_not_hide_the_texts(tmp_path: Path) -> None:
    wild = pa.array([2**62] * 40, pa.timestamp("us"))
    path = parquet(
        tmp_path / "a.parquet", text=TEXTS, label=LABELS, when=wild, image=[b"\xff"] * 40
    )
    facts = facts_of(path)
    assert facts.labels == BOTH
    assert "bytes or times out of range: when, image" in "\n".join(facts.notes)
    assert "times of the years 1 to 9999" in refused(path, label="when")


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (table([(f"ann{n}@example.org", f"010-1234-5{n:03}") for n in range(40)], ("mail", "phone")), {}),
        (table([("ann@example.org is here", "good")] * 3, ("ann@example.org", "label")), {}),
        (table([(t, f"ann{n}@example.org") for n, (t, _) in enumerate(ROWS)]), {"label": "label"}),
        ('{"ann@example.org": 1, "ann@example.org": 2}', {}),
        (table() + "ann@example.org,two,three\n", {}),
    ],
)  # fmt: skip
def test_no_note_and_no_error_holds_a_personal_value(
    tmp_path: Path, content: str, columns: dict[str, str]
) -> None:
    facts, error = checked(put(tmp_path, "a.csv", content), **columns)
    told = f"{facts.notes} {error}"
    assert "ann" not in told.replace("annotations", "")
    assert "010-" not in told


def test_a_worker_is_no_label_and_dates_are_without_quotes(tmp_path: Path) -> None:
    rows = [(t, "W12"[n % 2 * 2 :] or "W1", v) for n, (t, v) in enumerate(ROWS)]
    header = ("Input.text", "WorkerId", "Answer.sentiment")
    assert facts_of(put(tmp_path, "a.csv", table(rows, header))).labels == BOTH
    days = [date(2026, 1, 1 + n % 3) for n in range(40)]
    assert set(facts_of(parquet(tmp_path / "b.parquet", text=TEXTS, label=days)).labels) == {
        "2026-01-01",
        "2026-01-02",
        "2026-01-03",
    }


def test_an_error_names_the_file_as_it_is_called(tmp_path: Path) -> None:
    assert "rows.dat, line 42" in refused(put(tmp_path, "rows.dat", table() + "one\n"))


def test_half_of_a_character_and_a_name_that_is_not_utf8_are_told_in_json_all_the_same(
    tmp_path: Path,
) -> None:
    label = '{"text": "One and two", "label": "go\\ud83dod"}\n'
    assert "half of a character" in refused(put(tmp_path, "a.jsonl", label * 3))
    key = '{"te\\ud83dxt": "One and two", "label": "good"}\n'
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.csv"))
    named.write_text(table(), encoding="utf-8")
    found = [checked(put(tmp_path, "c.jsonl", key * 3)), checked(named)]
    files = json.loads(as_json(found).encode())["files"]
    assert [file["rows"] for file in files] == [3, 40]


def test_odd_columns_of_arrow_do_not_hide_the_texts(tmp_path: Path) -> None:
    wild = pa.array([2**62] * 40, pa.timestamp("us"))
    zoned = pa.array(range(40), pa.timestamp("us", tz="Nowhere/Land"))
    columns = {"text": TEXTS, "label": LABELS, "when": wild, "at": zoned, "image": [b"\xff"] * 40}
    feather.write_feather(pa.table(columns), tmp_path / "a.feather")
    facts = facts_of(tmp_path / "a.feather")
    assert facts.labels == BOTH
    assert "bytes or times out of range: when, at, image" in "\n".join(facts.notes)
    assert "times of the years 1 to 9999" in refused(tmp_path / "a.feather", label="when")


def test_what_is_named_arrow_is_read_by_what_is_in_it(tmp_path: Path) -> None:
    assert facts_of(put(tmp_path, "a.arrow", table())).format == "CSV"
    assert facts_of(parquet(tmp_path / "b.arrow", text=TEXTS, label=LABELS)).format == "Parquet"


def test_labels_that_are_lists_of_bytes_or_hold_null_are_read(tmp_path: Path) -> None:
    spelled = [[label.encode()] for label in LABELS]
    assert facts_of(parquet(tmp_path / "a.parquet", text=TEXTS, label=spelled)).labels == BOTH
    topics = [[["price", "speed"], ["price"], [None], None][n % 4] for n in range(40)]
    assert facts_of(parquet(tmp_path / "b.parquet", text=TEXTS, topics=topics)).labels == {
        "price": 20,
        "speed": 10,
    }


def test_a_cell_that_shows_nothing_is_no_label(tmp_path: Path) -> None:
    rows = [(t, v if n < 30 else "\u200b ") for n, (t, v) in enumerate(ROWS)]
    assert facts_of(put(tmp_path, "a.csv", table(rows))).labelled == 30


def test_a_pipe_is_not_called_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    limits = parse_params(parameter_values()).validate_
    _, error = check_file(tmp_path / "a.csv", text="", label="", limits=limits)
    assert "is a device, a pipe or a socket" in str(error)


def test_a_parquet_file_that_is_spoiled_within_is_told_as_such(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text=TEXTS * 20, label=LABELS * 20)
    data = bytearray(path.read_bytes())
    for place in range(100, 160):
        data[place] ^= 0x5A
    assert "not Parquet, or not all of it" in refused(put(tmp_path, "b.parquet", bytes(data)))


def test_answers_of_several_people_are_told_of(tmp_path: Path) -> None:
    tasks = json.loads(JSON_SHAPES["studio.json"])
    for n in (0, 1, 2):
        tasks[n]["annotations"] *= 2
    other = {"from_name": "tone", "type": "choices", "value": {"choices": ["odd"]}}
    tasks[2]["annotations"][1] = {"result": [other]}
    told = "\n".join(facts_of(put(tmp_path, "a.json", json.dumps(tasks))).notes)
    assert "3 rows have answers of several people, 1 of them different ones" in told
    records = json.loads(JSON_SHAPES["argilla.json"])
    records[0]["responses"]["tone"] += [
        {"value": "good", "user_id": "w"},
        {"value": "odd", "status": "draft"},
    ]
    told = "\n".join(facts_of(put(tmp_path, "b.json", json.dumps(records))).notes)
    assert "1 rows have answers of several people, 1 of them different ones" in told


def test_tasks_that_nobody_has_labelled_are_texts(tmp_path: Path) -> None:
    tasks = [{"id": n, "data": {"text": t}} for n, (t, _) in enumerate(ROWS)]
    facts = facts_of(put(tmp_path, "a.json", json.dumps(tasks)))
    assert (facts.rows, facts.labelled) == (40, 0)
