"""A line of a table that cannot be read is told with its own cause, and never with the words that stand in it."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.layout import Layout
from pipeline.data.rows import header_of, read_rows

ROW = "The kettle stopped at once,bad\n"


def told(folder: Path, content: str, name: str = "a.csv") -> str:
    """The message for a file with this content, which cannot be read."""
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(DataError) as caught:
        [*read_rows(path, columns=[], optional=["text"], layout=Layout())]
    assert "kettle" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# exported today\ntext,label\n" + ROW, "if the first line is a title or a comment"),
        ("text,label\n" + ROW.replace("\n", ",\n"), "take the separators at the end of line 2 away"),
        ("text,label\n" + ROW + "The kettle, I mean,bad\n", "line 3: put a text that holds the separator"),
        ("text,label\n" + ROW + "The kettle\n", "a field is missing, or a line break stands in a text"),
        ('text, label, n\n"The kettle", "bad, or so", 1\n', "take the blank before each quote away"),
        ("text,label\n'The kettle, once',bad\n", "put the texts in double quotes: single ones"),
        ('text,label\n"The \\"kettle\\" stopped",bad\n', 'a quote inside a field written twice, as ""'),
        ("text,label\n1,The kettle,bad\n", "R leaves out that of the row names"),
        ("text,label,\nThe kettle,bad\n", "take the separator at the end of the first line away"),
        ("text,label\nThe kettle\\, I mean,bad\n", "rather than with a backslash before a separator"),
        ('text,label\n"The kettle" ,bad\n', "the separator right after a closing quote"),
        ('text,label\n' + ROW + '"The kettle,bad\n' + ROW + '"One",bad\n', "line 3: a quote that is opened there is not closed"),
        ('text,label\n' + ROW + '"The kettle,bad\n', "line 3: a quote that is opened there is not closed"),
    ],
)  # fmt: skip
def test_the_cause_is_read_from_the_line(tmp_path: Path, content: str, message: str) -> None:
    assert message in told(tmp_path, content)


def test_blank_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    for name, mark in (("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")):
        path = tmp_path / name
        path.write_text(f"\n{mark}\n\ntext{mark}label\nOne{mark}bad\n", encoding="utf-8")
        layout = Layout(separator=None if mark != ";" else ";")
        assert header_of(path, layout) == ["text", "label"]
        assert [*read_rows(path, columns=["text"], layout=layout)] == [(5, {"text": "One"})]


def test_rows_of_separators_alone_are_passed_over(tmp_path: Path) -> None:
    for name, mark in (("a.csv", ","), ("b.tsv", "\t")):
        path = tmp_path / name
        path.write_text(f"text{mark}label\n{mark}\nOne{mark}bad\n {mark} \n", encoding="utf-8")
        assert [*read_rows(path, columns=["text"], layout=Layout())] == [(3, {"text": "One"})]


def test_doubled_carriage_returns_are_no_part_of_a_field(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(b"text\tlabel\r\r\nOne\tbad\r\r\n")
    assert [*read_rows(path, columns=["label"], layout=Layout())] == [(2, {"label": "bad"})]
