"""Long texts are read in windows that leave no token out."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.runtime import reader
from pipeline.runtime.reader import TextReader
from tests.support.tiny_bundle import make_tiny_model

CLS, SEP = 2, 3


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
