"""A file of JSON lines: whole lines are read, damaged ones are named."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.core.disk import DiskFullError
from pipeline.core.errors import DataError
from pipeline.core.line_file import add_line, read_lines
from tests.support.small_disk import small_disk


def test_lines_come_back_in_their_order_and_a_half_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    assert list(read_lines(path)) == []
    given = [{"text": "한\n글\u2028"}, {"a": [1, None]}]
    for value in given:
        add_line(path, value)
    with path.open("ab") as stream:
        stream.write(b'{"half":')
    assert list(read_lines(path)) == given


def test_lines_that_are_added_at_one_time_are_all_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: add_line(path, {"n": number, "text": "x" * 9_000}), range(40)))
    assert sorted(line["n"] for line in read_lines(path)) == [*range(40)]


@pytest.mark.parametrize("line", [b"[1]\n", b"{\n", b"\xff\n"])
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"{}\n" + line)
    with pytest.raises(DataError, match="line 2"):
        list(read_lines(path))


def test_of_a_line_without_room_nothing_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", kilobytes=64):
        path = tmp_path / "small" / "lines.jsonl"
        add_line(path, {"a": 1})
        with pytest.raises(DiskFullError):
            add_line(path, {"a": "x" * 200_000})
        assert path.read_bytes() == b'{"a":1}\n'
