"""A first line that names no columns is refused, and none of its words is told."""

from collections.abc import Sequence

import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns import describe
from pipeline.data.header_check import require_names

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
