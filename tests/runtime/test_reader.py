"""Long texts are read in windows that leave no token out."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.runtime import reader
from pipeline.runtime.reader import TextReader
from tests.support.odd_texts import odd_texts
from tests.support.tiny_bundle import make_tiny_model

CLS, SEP = 2, 3
FORMS_OF_EMPTY = ("<br />", "&nbsp;", "\u200b", " ")


@pytest.fixture(name="tokenizer")
def write_tokenizer(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path)[1]


def reading(tokenizer: Path, stride: int | None) -> TextReader:
    return TextReader(tokenizer, max_length=10, window_stride=stride)


def numbered(count: int) -> str:
    """A text of `count` words, five different ones in turn."""
    return " ".join(("good", "warm", "funny", "bad", "dull")[i % 5] for i in range(count))


@pytest.mark.parametrize("count", [0, 1, 8])
def test_a_text_that_fits_is_one_row(tokenizer: Path, count: int) -> None:
    rows, truncated = reading(tokenizer, 4).read(numbered(count))
    assert [len(row.ids) for row in rows] == [count + 2]
    assert not truncated
    assert rows == reading(tokenizer, None).read(numbered(count))[0]


@pytest.mark.parametrize("count", [9, 12, 13, 16, 17, 40])
@pytest.mark.parametrize("stride", [1, 4, 8, 50])
def test_windows_begin_a_stride_apart_and_hold_every_token(
    tokenizer: Path, count: int, stride: int
) -> None:
    whole = TextReader(tokenizer, max_length=1000, window_stride=None)
    ordinary = whole.read(numbered(count))[0][0].ids[1:-1]
    rows, truncated = reading(tokenizer, stride).read(numbered(count))
    step = min(stride, 8)
    expected = [ordinary[begin : begin + 8] for begin in range(0, count, step)]
    # The first window that reaches the end is the last.
    last = next(i for i, _ in enumerate(expected) if i * step + 8 >= count)
    assert [row.ids for row in rows] == [[CLS, *part, SEP] for part in expected[: last + 1]]
    assert not truncated


def test_windows_of_a_pair_keep_the_first_text_whole(tokenizer: Path) -> None:
    rows, truncated = reading(tokenizer, 2).read(("the film", numbered(9)))
    assert not truncated
    assert all(row.ids[:4] == rows[0].ids[:4] and row.ids[-1] == SEP for row in rows)
    # 10 tokens less 3 special and 2 of the first leave 5 for the second.
    assert [len(row.ids) for row in rows] == [10, 10, 10]
    assert rows[0].segments == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_a_first_text_that_leaves_no_room_is_refused(tokenizer: Path) -> None:
    with pytest.raises(DataError, match="first text"):
        reading(tokenizer, 2).read((numbered(7), numbered(3)))


def test_a_pair_without_windows_is_cut_where_it_is_longer(tokenizer: Path) -> None:
    (row,), truncated = reading(tokenizer, None).read((numbered(20), "the film"))
    assert truncated
    assert len(row.ids) == 10
    assert sum(row.segments) == 3


def test_the_text_after_the_last_allowed_window_is_left_out_and_reported(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_WINDOWS", 3)
    rows, truncated = reading(tokenizer, 4).read(numbered(100))
    assert len(rows) == 3
    assert truncated


@pytest.mark.parametrize("cleaning", [0, 1, 2, 3])
@pytest.mark.parametrize("stride", [None, 4])
def test_many_at_once_are_read_as_each_alone(
    tokenizer: Path, stride: int | None, cleaning: int
) -> None:
    reads = TextReader(tokenizer, max_length=40, window_stride=stride)
    odd = [text.encode(errors="ignore").decode() for text in odd_texts(400)]
    odd += [*FORMS_OF_EMPTY, numbered(38), numbered(39), numbered(500)]
    requests = [*odd, *zip(odd, reversed(odd), strict=True)]
    found = reads.read_short(requests, cleaning=cleaning)
    assert 200 < sum(row is not None for row in found) < len(requests)
    for request, row in zip(requests, found, strict=True):
        if row is not None:
            assert reads.read(request, cleaning=cleaning) == ([row], False)


def test_only_what_must_be_looked_at_alone_is_left_out(tokenizer: Path) -> None:
    reads = reading(tokenizer, None)
    requests = ["good", "<br />", numbered(8), numbered(9), "good " * 500, ("good", ""), ("a", "b")]
    found = reads.read_short(requests, cleaning=3)
    assert [row is not None for row in found] == [True, False, True, False, False, False, True]
