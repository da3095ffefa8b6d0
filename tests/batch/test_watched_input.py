"""A change of a file is noticed however it came about, and a touch is not taken for one."""

import os
from pathlib import Path

import pytest

from pipeline.batch.watched_input import WatchedInput
from pipeline.core.errors import DataError


def test_a_file_that_nobody_changed_may_be_touched_and_replaced_by_its_equal(
    tmp_path: Path,
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("text\ngood\n")
    watched = WatchedInput(path)
    os.utime(path, (1, 1))
    watched.require_same()
    copy = tmp_path / "copy.csv"
    copy.write_text("text\ngood\n")
    copy.replace(path)
    watched.require_same()


def test_another_content_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("text\ngood\n")
    before = path.stat()
    watched = WatchedInput(path)
    path.write_text("text\nbads\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="has changed since the batch began"):
        watched.require_same()


def test_a_file_that_is_gone_and_a_folder_with_another_part_have_changed(tmp_path: Path) -> None:
    folder = tmp_path / "t.parquet"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(b"a")
    watched = WatchedInput(folder)
    watched.require_same()
    (folder / "b.parquet").write_bytes(b"b")
    with pytest.raises(DataError, match="has changed"):
        watched.require_same()
    path = tmp_path / "in.csv"
    path.write_text("text\n")
    file = WatchedInput(path)
    path.unlink()
    with pytest.raises(DataError, match="has changed"):
        file.require_same()
