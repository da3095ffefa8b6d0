"""A full disk is told from other errors, with the place and the bytes."""

import errno
import os
import re
from pathlib import Path

import pytest

from pipeline.core.disk import DiskFullError, disk_full, no_room, says_full


@pytest.mark.parametrize(
    "said",
    [
        "Error while serializing: I/O error: No space left on device (os error 28)",
        "(sqlite3.OperationalError) database or disk is full",
        "[Errno 122] Disk quota exceeded: 'x'",
    ],
)
def test_libraries_say_it_in_words(said: str, tmp_path: Path) -> None:
    assert says_full(said)
    assert disk_full(RuntimeError(said), tmp_path) is not None


def test_the_message_names_the_file_and_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "records.txt"
    file.write_bytes(bytes(1000))
    cause = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    try:
        raise ValueError("could not save") from cause
    except ValueError as error:
        told = disk_full(error)
    assert told is not None
    assert str(file) in told.got
    free = int(re.search(r"([\d,]+) bytes are free", told.got)[1].replace(",", ""))  # type: ignore[index]
    assert free >= 1000  # what was written makes room again
    assert told.expected == f"more than {free:,} bytes for it"


def test_a_message_is_not_made_twice(tmp_path: Path) -> None:
    told = no_room(tmp_path / "missing" / "x")
    assert isinstance(told, DiskFullError)
    assert disk_full(told) is told


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), ValueError("space"), KeyError("a")])
def test_other_errors_are_none(error: Exception) -> None:
    assert disk_full(error) is None
