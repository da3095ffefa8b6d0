"""The separator of a table and the kind of a file are told from what is in it, not from what it is called."""

from pathlib import Path

import pytest

from pipeline.data.file_look import look_at, separator_of

ROWS = [(f"Order {n}: the kettle, which I like, came", "good") for n in range(9)]


def joined(mark: str, header: str = "text,label") -> str:
    """A table without quotes, whose texts hold commas."""
    return "\n".join([header.replace(",", mark), *(mark.join(row) for row in ROWS), ""])


@pytest.mark.parametrize("mark", [";", "\t", "|", "^", "~", "\x01", "，"])
def test_the_separator_is_the_one_that_names_columns(mark: str) -> None:
    assert separator_of(joined(mark)) == mark


def test_without_a_header_the_commas_of_a_sentence_do_not_separate() -> None:
    rows = "\n".join(f"Late again, number {n};bad" for n in range(9))
    assert separator_of(rows) == ";"


def test_excel_says_the_separator_in_any_case() -> None:
    assert separator_of("SEP=;\n" + joined(";")) == ";"
    assert separator_of('"sep=|"\n' + joined("|")) == "|"


def test_a_quote_that_is_alone_at_the_start_of_a_text_does_not_hide_the_tabs() -> None:
    assert separator_of('text\tlabel\n"Fine, they said\tgood\n' + "One\tbad\n" * 5) == "\t"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("The review was long, and I liked it\nA text, another one\n", "text"),
        ("text,label\nOne two,bad\n", "CSV"),
        ("text\tlabel\nOne two\tbad\n", "TSV"),
    ],
)
def test_a_text_file_is_a_table_only_where_its_first_line_names_columns(
    tmp_path: Path, content: str, kind: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    assert look_at(path).format == kind


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", "text,label\nOne two,bad\n", "CSV"),
        ("a.jsonl", "text\tlabel\nOne two\tbad\n", "TSV"),
        ("a.txt", '[\n  {\n    "text": "One two"}]', "JSON"),
        ("a.csv", '{"text": "One two"}\n', "JSON"),
        ("a.json", "not at all\n", "JSON"),
        ("a.txt", "{laughs} I like it\n", "text"),
    ],
)
def test_a_file_with_the_ending_of_another_kind_is_told_by_what_is_in_it(
    tmp_path: Path, name: str, content: str, kind: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert look_at(path).format == kind
