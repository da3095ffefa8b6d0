"""What was begun of a download is known again, with the edition that it is of."""

from pathlib import Path

import pytest

from flows.fetching.partial_file import Edition, PartialFile, edition_of, starts_at


@pytest.mark.parametrize(
    ("headers", "edition"),
    [
        (
            {"etag": '"a"', "last-modified": "then", "content-length": "5"},
            Edition(mark='"a"', total=5),
        ),
        ({"etag": 'W/"a"', "last-modified": "then"}, Edition(mark="then")),
        ({"etag": 'W/"a"', "content-length": "x"}, Edition()),
        (
            {"etag": '"a"', "content-length": "2", "content-range": "bytes 3-4/5"},
            Edition(mark='"a"', total=5),
        ),
        ({"etag": '"a"', "content-range": "bytes 3-4/*"}, Edition(mark='"a"')),
    ],
)
def test_an_answer_says_which_edition_it_is_of(headers: dict[str, str], edition: Edition) -> None:
    assert edition_of(headers) == edition


@pytest.mark.parametrize(
    ("span", "first"), [("bytes 3-4/5", 3), ("bytes */5", None), ("rows 3-4/5", None), ("", None)]
)
def test_a_part_says_where_it_starts(span: str, first: int | None) -> None:
    assert starts_at({"content-range": span}) == first


def test_a_part_goes_on_with_the_same_edition_alone() -> None:
    begun = Edition(mark='"a"', total=5)
    assert begun.goes_on_as(begun)
    assert Edition(mark='"a"').goes_on_as(begun)
    assert not begun.goes_on_as(Edition(mark='"b"', total=5))
    assert not begun.goes_on_as(Edition(mark='"a"', total=6))
    assert not Edition().goes_on_as(Edition())


def test_bytes_are_whole_when_all_of_the_edition_are_there(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "new" / "t.csv")
    assert (part.size, part.is_whole, part.edition) == (0, False, Edition())
    part.begin(Edition(mark='"a"', total=5))
    part.path.write_bytes(b"1234")
    assert not part.is_whole
    part.path.write_bytes(b"12345")
    assert part.is_whole
    assert PartialFile(part.path).edition == Edition(mark='"a"', total=5)
    part.forget()
    assert [*part.path.parent.iterdir()] == []
