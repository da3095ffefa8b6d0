"""Adds lines to a file of JSON lines and reads them; a line that was added is on the disk."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core.disk import disk_full, no_room
from pipeline.core.errors import DataError
from pipeline.core.files import sync


def add_line(path: Path, value: dict[str, Any]) -> None:
    """Adds a line and waits for the disk; of a line that cannot be written whole, nothing stays.

    Several processes may add to one file.

    Raises:
        DiskFullError: there is no room.
    """
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    data = encoded_line(value)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    size = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError as error:
        os.ftruncate(descriptor, size)
        if disk_full(error) is not None:
            raise no_room(path.parent) from error
        raise
    finally:
        os.close(descriptor)
    if is_new:
        sync(path.parent)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The values of the lines; none where there is no file. What follows the last line break is passed over.

    Raises:
        DataError: a line is no JSON object.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if not isinstance(value, dict):
                raise DataError(
                    f"line {number} of {path.name} is damaged",
                    expected="a JSON object, as a server of ours wrote it",
                    next_step="restore the file from a backup, or remove that line",
                )
            yield value


def encoded_line(value: dict[str, Any]) -> bytes:
    """The value as a line of JSON, its keys in order."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode()
