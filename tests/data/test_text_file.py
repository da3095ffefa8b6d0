"""Lines are those that Python's own text files have, wherever a block of the file ends."""

import random
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data import text_file
from pipeline.data.text_file import lines_of

CHARACTERS = "ab\n\r\v\x85\u2028é"


@pytest.mark.parametrize("newline", ["", "\n", "\r"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 18])
def test_lines_are_those_of_a_text_file_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newline: str, block: int
) -> None:
    monkeypatch.setattr(text_file, "_BLOCK", block)
    chance = random.Random(block)  # noqa: S311 - test data
    file = tmp_path / "lines.txt"
    for length in range(60):
        file.write_bytes("".join(chance.choices(CHARACTERS, k=length)).encode())
        with file.open(encoding="utf-8", newline=newline) as stream:
            assert [*lines_of(file, newline=newline)] == [*stream]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", ""])
def test_a_line_that_is_too_long_is_refused_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(text_file, "_BLOCK", 16)
    monkeypatch.setattr(text_file, "LONGEST_ROW", 100)
    file = tmp_path / "lines.txt"
    file.write_bytes(("a line of some words\n" * 9 + "x" * 101 + end).encode())
    with pytest.raises(DataError, match="line 10"):
        [*lines_of(file)]
    file.write_bytes(("a line of some words\n" * 9 + "x" * 98 + end).encode())
    assert len([*lines_of(file)]) == 10
