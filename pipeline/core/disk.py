"""Tells a full disk from other errors, with the place and the bytes that are free there."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import PipelineError

_FULL = (errno.ENOSPC, errno.EDQUOT)
# Of libraries that do not hand on the number: safetensors, SQLite, torch, DVC's printed lines.
_WORDS = re.compile(
    r"no space left on device|os error 28|disk quota exceeded|database or disk is full"
    r"|PytorchStreamWriter failed writing",
    re.IGNORECASE,
)


class DiskFullError(PipelineError):
    """A file could not be written for want of space."""


def disk_full(error: BaseException, place: Path | None = None) -> DiskFullError | None:
    """The message for an error that a full disk has caused; None for any other error.

    Args:
        place: the file or folder that was being written, for an error that names none.
    """
    if isinstance(error, DiskFullError):
        return error
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "errno", None) in _FULL or says_full(str(seen)):
            named = getattr(seen, "filename", None)
            return no_room(Path(named)) if named else no_room(place or Path.cwd(), partly=place)
        seen = seen.__cause__ or seen.__context__
    return None


def says_full(text: str) -> bool:
    """Whether a message says that a disk is full."""
    return _WORDS.search(text) is not None


def no_room(place: Path, *, partly: Path | None = None) -> DiskFullError:
    """The message: where, how much is free, and how much is needed at least.

    Args:
        partly: what was written before the disk was full, and makes room again; else `place` itself.
    """
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    written = partly or (place if place.is_file() else None)
    free = shutil.disk_usage(there).free + (sum(_sizes(written)) if written else 0)
    return DiskFullError(
        f"the disk is full: {place} could not be written, {free:,} bytes are free there",
        expected=f"more than {free:,} bytes for it",
        next_step="free some space, then run the same command again: what is finished is not repeated",
    )


def _sizes(path: Path) -> Iterator[int]:
    """Bytes of a file, or of the files in a folder."""
    for file in path.rglob("*") if path.is_dir() else (path,):
        with suppress(OSError):
            if file.is_file():
                yield file.stat().st_size
