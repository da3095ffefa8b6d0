"""A first line that names no columns is refused, and none of its words is told."""

from collections.abc import Sequence

import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns import describe
from pipeline.data.header_check import require_names, require_rows_below

TEXTS = [f"Order {n}: the kettle stopped at once, after {n} days" for n in range(20)]


def check(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    cells = [(n, dict(zip(header, row, strict=True))) for n, row in enumerate(rows, start=2)]
    require_names("a.csv", describe(header, cells))


def rows(*labels: str) -> list[tuple[str, str]]:
    return [(text, labels[n % len(labels)]) for n, text in enumerate(TEXTS)]


@pytest.mark.parametrize(
    ("header", "labels", "message"),
    [
        (("The lamp works, and I like it a lot", "good"), ("good", "bad"), "reads like a row"),
        (("The lamp works, and I like it a lot", "1"), ("1", "0"), "reads like a row"),
        (("这个水壶用起来很好，我们都很喜欢它", "好评"), ("好评", "差评"), "reads like a row"),
        (("Write to ann@example.org", "other"), ("good", "bad"), "holds personal data"),
    ],
)
def test_a_file_without_a_header_is_refused(
    header: Sequence[str], labels: Sequence[str], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        check(header, rows(*labels))
    assert header[0] not in str(caught.value)


def test_a_value_that_is_also_a_name_of_columns_makes_no_header() -> None:
    header = ("4", "NO_QUERY", "The lamp works, and I like it a lot")
    with pytest.raises(DataError, match="reads like a row"):
        check(header, [(str(n % 2 * 4), "NO_QUERY", text) for n, text in enumerate(TEXTS)])


def test_columns_without_a_name_that_few_rows_fill_are_no_reason() -> None:
    check(("v1", "v2", "", " ", "  "), [("ham", text, "", "", "") for text in TEXTS])
    check(("comments", "hate"), [(text, ["hate", "none"][n % 2]) for n, text in enumerate(TEXTS)])


def test_fields_in_single_quotes_are_told() -> None:
    with pytest.raises(DataError, match="in single quotes"):
        check(("'text'", "'label'"), [(f"'{text}'", "'good'") for text in TEXTS])


@pytest.mark.parametrize(
    ("names", "below", "message"),
    [
        (("Survey 2026", ""), [("", " "), ("text", "label")], "names 1 of 2 columns"),
        ((" text ", " label "), [("---", ":--:")], "a line of hyphens"),
        (("", "text", "label", ""), [("", "---", "---", "")], "a line of hyphens"),
    ],
)
def test_names_below_a_title_and_hyphens_below_names_are_told(
    names: Sequence[str], below: Sequence[Sequence[str]], message: str
) -> None:
    cells = [dict(enumerate(row)) for row in below]
    found = [(n, {str(at): cell for at, cell in row.items()}) for n, row in enumerate(cells, 2)]
    with pytest.raises(DataError, match=message):
        require_rows_below("a.csv", names, found)


def test_ordinary_rows_below_the_names_are_left_alone() -> None:
    for names, row in ((("text", "label"), ("-", "--")), (("", "text"), ("1", "The text"))):
        require_rows_below("a.csv", names, [(2, dict(zip("ab", row, strict=True)))])


def test_a_title_and_lines_in_quotes_are_no_header() -> None:
    with pytest.raises(DataError, match="names 1 of 3 columns"):
        check(("Reviews", "", " "), [("text", "label", "n"), ("One two", "good", "1")])
    with pytest.raises(DataError, match="each line is in quotes as a whole"):
        check(('text,"label"',), [(text,) for text in TEXTS])


@pytest.mark.parametrize(
    ("header", "labels"),
    [
        (("text", "label"), ("label", "good")),
        (("0", "1"), ("1", "0")),
        (("What did you think of our shop today?", "Score"), ("1", "2")),
        (("본문", "긍정"), ("긍정", "부정")),
        (("", "text"), ("good", "bad")),
    ],
)
def test_a_header_stays_one_whatever_its_columns_hold(
    header: Sequence[str], labels: Sequence[str]
) -> None:
    check(header, rows(*labels))
