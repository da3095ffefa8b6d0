"""Tells whether a file is still what it was when a batch began, quickly where nobody touched it."""

from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.files import sha256_tree

Touched = tuple[tuple[str, int, int, int], ...]
"""Name, bytes, inode, and time of the last change in nanoseconds of each file: the time that nobody can set."""


class WatchedInput:
    """A file, or a folder of parts; `sha256` is that of its content when it was first looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Before the content, so that a change while it is read shows later.
        self._touched = _touched(path)
        self.sha256 = sha256_tree(path)

    def require_same(self) -> None:
        """Raises DataError where the content has changed; it is read again only where it was touched."""
        if (touched := _touched(self._path)) == self._touched:
            return
        if not touched or sha256_tree(self._path) != self.sha256:
            raise changed(self._path)
        self._touched = touched


def changed(path: Path) -> DataError:
    """The error for an input that is not what it was when the batch began."""
    return DataError(
        f"{path.name} has changed since the batch began",
        expected="the same content until all rows are answered: answers of two files would be mixed",
        next_step="bring the old content back and run the same command, or start over with --again",
    )


def _touched(path: Path) -> Touched:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = []
    for file in files:
        if file.is_file():
            seen = file.stat()
            found.append((file.name, seen.st_size, seen.st_ino, seen.st_ctime_ns))
    return (*found,)
