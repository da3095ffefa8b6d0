"""The log of one person's events: lines are only ever added, and are on the disk before anyone hears so.

Each line holds in `prev` the SHA-256 of the line before it, so that a cut or altered line is found. A last
line that a kill or a full disk cut short was never acknowledged; it is moved to a file beside the log.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.annotation.events import Event, Kept, kept_of, line_of
from pipeline.core.disk import disk_full, no_room
from pipeline.core.errors import DataError
from pipeline.core.files import sync
from pipeline.core.typed_json import MismatchError

TORN = ".torn"
"""Ending of the file with the halves of lines that were set aside."""


class EventLog:
    """A person's events, open for adding; one process at a time may have it open.

    Args:
        path: the file; it is made with the first event.
        each: is given every event that the file has, in order, and every one that is added; it may be replaced.

    Raises:
        DataError: a line was altered, cut out or added by another hand.
    """

    def __init__(self, path: Path, *, each: Callable[[Kept], None]) -> None:
        self._path, self.each = path, each
        self._seqs: dict[str, int] = {}
        self._last = ""
        self.torn = set_torn_line_aside(path)
        if path.exists():
            self._replay()
        self._file: int | None = None

    def __contains__(self, uid: str) -> bool:
        """Whether the log has an event of this uid."""
        return uid in self._seqs

    @property
    def events(self) -> int:
        """How many events the log has."""
        return len(self._seqs)

    def add(
        self, events: Sequence[tuple[Event, str | None]], *, person: str, time: str
    ) -> list[int]:
        """Adds events that are not yet in the log, waits until they are on the disk, returns their numbers.

        Args:
            events: each with the SHA-256 of its row's text.
            time: as of `Kept`.

        Raises:
            DiskFullError: there is no room; none of the events was added.
        """
        lines: list[bytes] = []
        fresh: list[Kept] = []
        numbers: dict[str, int] = {}
        last = self._last
        for event, text_sha in events:
            if event.uid in self._seqs or event.uid in numbers:
                continue
            numbers[event.uid] = len(self._seqs) + len(numbers) + 1
            kept = Kept(
                event=event, seq=numbers[event.uid], person=person, text_sha=text_sha, time=time
            )
            lines.append(_encoded(line_of(kept, before=last)))
            last = _hash(lines[-1])
            fresh.append(kept)
        if fresh:
            self._write(b"".join(line + b"\n" for line in lines))
            self._last = last
            self._seqs |= numbers
            for kept in fresh:
                self.each(kept)
        return [self._seqs[event.uid] for event, _ in events]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, data: bytes) -> None:
        """Appends the bytes and waits for the disk; of a write that fails, nothing stays in the file."""
        if self._file is None:
            is_new = not self._path.exists()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            if is_new:
                sync(self._path.parent)
        size = os.fstat(self._file).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, size)
            if disk_full(error) is not None:
                raise no_room(self._path.parent) from error
            raise

    def _replay(self) -> None:
        for kept, line in _lines(self._path):
            self._last = _hash(line)
            self._seqs[kept.event.uid] = kept.seq
            self.each(kept)


def read_log(path: Path) -> Iterator[Kept]:
    """The events of a log, which a server may be adding to meanwhile; none where there is no file.

    What follows the last line break is passed over: it is being written, or never was acknowledged.

    Raises:
        DataError: as of `EventLog`.
    """
    if path.exists():
        for kept, _ in _lines(path):
            yield kept


def _lines(path: Path) -> Iterator[tuple[Kept, bytes]]:
    """The events and the whole lines that hold them, each checked against the one before."""
    last = ""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                kept, before = kept_of(orjson.loads(line))
            except (ValueError, MismatchError) as error:
                raise _damaged(path, number, f"is damaged: {error}") from error
            if before != last:
                raise _damaged(path, number, "does not follow the line before it")
            if kept.seq != number:
                raise _damaged(path, number, f"has the number {kept.seq}")
            last = _hash(line)
            yield kept, line


def _hash(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def _damaged(path: Path, number: int, fault: str) -> DataError:
    return DataError(
        f"line {number} of {path.name} {fault}",
        expected="lines as the annotation server wrote them, none altered, cut out or added",
        next_step="restore the file from a backup; the lines before that one are whole",
    )


def set_torn_line_aside(path: Path) -> int:
    """Moves what follows the last line break to a file beside the log; returns how many bytes that is."""
    if not path.exists():
        return 0
    with path.open("r+b") as stream:
        whole = _end_of_last_line(stream.fileno())
        stream.seek(whole)
        rest = stream.read()
        if rest:
            with path.with_name(path.name + TORN).open("ab") as torn:
                torn.write(rest + b"\n")
                torn.flush()
                os.fsync(torn.fileno())
            stream.truncate(whole)
            os.fsync(stream.fileno())
    return len(rest)


def _end_of_last_line(descriptor: int, block: int = 1 << 16) -> int:
    """Where the byte after the last line break is; 0 where there is none."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(end - block, 0)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
