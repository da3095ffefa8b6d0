"""Keeps the parts of a batch that are done, in the folder OUT.parts, until they are one file.

A part is a file that is there whole or not at all, and is called after its rows and how many of them
have no answer: `000000004096-000000008192-3.rows`. Nothing else says what is done, so no kill can come
between a part and a note of it: a row is answered again, or not, and stands in the output once.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.batch.watched_input import changed
from pipeline.core.errors import ArtifactError, BusyError, DataError
from pipeline.core.file_lock import holder_of, try_lock
from pipeline.core.files import atomic_path, read_json, write_json

_JOB, _LOCK = "job.json", "lock"
_INPUT, _BUNDLE = "input_sha256", "bundle"
_NAME = re.compile(r"(\d{12})-(\d{12})-(\d+)\.rows")


@dataclass(frozen=True, order=True)
class DonePart:
    """A part that is on the disk: rows `start` to `end`, of which `errors` have no answer."""

    start: int
    end: int
    errors: int

    @property
    def file(self) -> str:
        return f"{self.start:012d}-{self.end:012d}-{self.errors}.rows"


class PartStore:
    """The folder of the parts of one output; `done` is start of a part → the part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = [_NAME.fullmatch(file.name) for file in folder.iterdir()]
        found = [DonePart(*map(int, name.groups())) for name in names if name]
        self.done = {part.start: part for part in sorted(found)}

    @property
    def rows(self) -> int:
        """How many rows are done."""
        return sum(part.end - part.start for part in self.done.values())

    def has(self, start: int, end: int) -> bool:
        """Whether these rows are done.

        Raises:
            ArtifactError: some of them are done together with others, as by another version of this code.
        """
        part = self.done.get(start)
        if part is not None and part.end != end:
            raise self._uneven(f"rows {start:,} to {part.end:,}", f"rows {start:,} to {end:,}")
        return part is not None

    def add(self, part: DonePart, write: Callable[[Path], None]) -> None:
        """Writes a part, synced to the disk; `write` fills the file that it is given."""
        with atomic_path(self.folder / part.file) as temporary:
            write(temporary)
        self.done[part.start] = part

    def files(self, rows: int) -> list[Path]:
        """The files of all parts in order, which must hold each of so many rows once.

        Raises:
            ArtifactError: they do not.
        """
        end = 0
        for part in sorted(self.done.values()):
            if part.start != end:
                raise self._uneven(f"a part from row {part.start:,}", f"one from row {end:,}")
            end = part.end
        if end != rows:
            raise self._uneven(f"parts of {end:,} rows", f"parts of {rows:,} rows")
        return [self.folder / part.file for part in sorted(self.done.values())]

    def remove(self) -> None:
        """Removes the folder with all parts."""
        shutil.rmtree(self.folder)

    def _uneven(self, got: str, expected: str) -> ArtifactError:
        next_step = "start over with --again; do not change the folder by hand"
        return ArtifactError(f"{self.folder.name}: {got}", expected=expected, next_step=next_step)


@contextmanager
def open_parts(
    folder: Path, job: Mapping[str, Any], *, again: bool, source: Path
) -> Iterator[PartStore]:
    """The parts in a folder, of this job alone, for one process at a time; one without a part is removed.

    Args:
        job: what the answers depend on, as JSON holds it; `input_sha256` and `bundle` among it.
        again: whether parts of whatever job are removed first.
        source: the file that is answered, for messages.

    Raises:
        BusyError: another process works on it.
        DataError: its parts are of another content of the file, another bundle, or other options.
    """
    lock = try_lock(folder / _LOCK, what=f"batch of {source.name}")
    if lock is None:
        raise BusyError(
            f"{folder.name} is being worked on: {holder_of(folder / _LOCK)}",
            expected="one batch at a time for one output",
            next_step="wait until it has ended, or give this one another OUT",
        )
    try:
        _prepare(folder, job, again=again, source=source)
        store = PartStore(folder)
        try:
            yield store
        except BaseException:
            # As it is on the disk: Ctrl-C may come when a part is there and not yet counted.
            if not PartStore(folder).done:
                store.remove()
            raise
    finally:
        os.close(lock)


def is_begun(folder: Path, job: Mapping[str, Any]) -> bool:
    """Whether the folder holds parts of this very job."""
    note = folder / _JOB
    return note.is_file() and read_json(note) == dict(job)


def _prepare(folder: Path, job: Mapping[str, Any], *, again: bool, source: Path) -> None:
    """Leaves nothing in the folder but whole parts of the job, the note of it, and the lock."""
    note = folder / _JOB
    begun = read_json(note) if note.is_file() and not again else None
    if begun is not None:
        _require_same(begun, job, folder, source)
    for file in folder.iterdir():
        keeps = begun is not None and (file.name == _JOB or _NAME.fullmatch(file.name))
        if file.name != _LOCK and not keeps:
            file.unlink()
    if begun is None:
        write_json(note, dict(job))


def _require_same(
    begun: Mapping[str, Any], job: Mapping[str, Any], folder: Path, source: Path
) -> None:
    """Raises DataError where a batch was begun with something else."""
    differing = sorted(
        name for name in {*begun, *job} if begun.get(name) != job.get(name) and name != _INPUT
    )
    if _BUNDLE in differing:
        raise DataError(
            f"bundle {str(job[_BUNDLE])[:12]}, where {folder.name} was begun with {str(begun.get(_BUNDLE))[:12]}",
            expected="one bundle for all rows of an output",
            next_step="name that bundle's folder with --bundle, or start over with --again",
        )
    if differing:
        shown = ", ".join(
            f"{name} {job.get(name)!r} (was {begun.get(name)!r})" for name in differing
        )
        raise DataError(
            f"{folder.name} was begun with other options: {shown}",
            expected="the command with which it was begun",
            next_step="run that command again, or start over with --again",
        )
    if begun.get(_INPUT) != job[_INPUT]:
        raise changed(source)
