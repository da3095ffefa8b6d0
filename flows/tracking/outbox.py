"""A run's facts in a file, its outbox, from which Prefect and MLflow are told; it stays until both know all.

`.modelyard/untold/<run>.jsonl` grows while the run does; beside it, `<run>.<destination>.json` says
how far that destination was told. The run holds a lock on its outbox, so an outbox whose lock is
free belongs to a run that has ended: the next start tells the rest. No call raises for a full
disk: what finds no room waits in memory for the next attempt.
"""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import time

from flows.tracking.facts import (
    CHATTER,
    BuildEnded,
    BuildStarted,
    Fact,
    RunEnded,
    StageEnded,
    StageStarted,
    from_line,
    to_line,
)
from pipeline.core.disk import DiskFullError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.typed_json import read_as

MOST_CHATTER_BYTES = 32_000_000
_RESERVE_BYTES = 256_000
_MOST_WAITING = 1000
_MOST_AT_ONCE = 200


@dataclass
class Told:
    """How far a destination was told: the outbox's bytes, and its names for builds and stages."""

    position: int = 0
    ids: dict[str, str] = field(default_factory=dict)


class Outbox:
    """The facts of one run, appended by it and read by each destination at its own pace."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the outbox, and locks it.

        Raises:
            BlockingIOError: its run has not ended, or another process tells the rest of it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._stream = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            raise
        _cut_torn_line(self._stream.fileno(), path)
        self._reserve = path.with_suffix(".reserve")
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._room = threading.Lock()
        self.news = threading.Condition()

    def reserve(self) -> None:
        """Sets room aside for how the run ends, should the disk be full by then."""
        with suppress(OSError):
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))

    @property
    def size(self) -> int:
        """Bytes of the facts that were written."""
        return os.fstat(self._stream.fileno()).st_size

    def append(self, fact: Fact) -> None:
        """Adds a fact; chatter is left out where the outbox has grown too large."""
        if isinstance(fact, CHATTER) and self.size > MOST_CHATTER_BYTES:
            return
        with self._room:
            self._waiting.append(to_line(fact))
            while self._waiting and self._write(self._waiting[0]):
                self._waiting.popleft()
        with self.news:
            self.news.notify_all()

    def _write(self, line: bytes) -> bool:
        """Whether the whole line was written; the reserve gives way to it."""
        for _ in range(2):
            before = self.size
            try:
                if self._stream.write(line) == len(line):
                    return True
            except OSError:
                pass
            self._stream.truncate(before)
            if not self._reserve.exists():
                return False
            self._reserve.unlink(missing_ok=True)
        return False

    def read(self, position: int, most: int = _MOST_AT_ONCE) -> list[tuple[Fact, int]]:
        """The next facts from a position on, each with the position behind it."""
        found: list[tuple[Fact, int]] = []
        end = self.size
        with self.path.open("rb") as stream:
            stream.seek(position)
            while len(found) < most and stream.tell() < end:
                line = stream.readline()
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                found.append((from_line(line), position))
        return found

    def facts(self) -> Iterator[Fact]:
        """All facts."""
        position = 0
        while chunk := self.read(position):
            yield from (fact for fact, _ in chunk)
            position = chunk[-1][1]

    def told(self, destination: str) -> Told:
        """How far a destination was told."""
        path = self._told_path(destination)
        return read_as(Told, read_json(path)) if path.exists() else Told()

    def keep_told(self, destination: str, told: Told) -> None:
        """Notes how far a destination was told; on a full disk it would be told twice, no more."""
        with suppress(OSError, DiskFullError):
            write_json(self._told_path(destination), asdict(told))

    def is_in_place(self) -> bool:
        """Whether the path still leads to this file: another process may have told and removed it."""
        try:
            return self.path.stat().st_ino == os.fstat(self._stream.fileno()).st_ino
        except FileNotFoundError:
            return False

    def close(self, destinations: Sequence[str]) -> None:
        """Lets the outbox go, and removes it where every destination knows all of it."""
        self._reserve.unlink(missing_ok=True)
        if self.is_in_place() and all(
            self.told(name).position == self.size for name in destinations
        ):
            for name in destinations:
                self._told_path(name).unlink(missing_ok=True)
            for half in self.path.parent.glob(f".{self.path.stem}.*.part"):
                half.unlink(missing_ok=True)  # a kill left it
            self.path.unlink(missing_ok=True)
        self._stream.close()

    def end_for_the_dead(self) -> None:
        """Adds how everything ended that the run left open when its process died."""
        open_stages: dict[tuple[int, str], None] = {}
        open_builds: dict[int, None] = {}
        for fact in self.facts():
            if isinstance(fact, RunEnded):
                return
            if isinstance(fact, StageStarted):
                open_stages[fact.build, fact.stage] = None
            elif isinstance(fact, StageEnded):
                open_stages.pop((fact.build, fact.stage), None)
            elif isinstance(fact, BuildStarted):
                open_builds[fact.build] = None
            elif isinstance(fact, BuildEnded):
                open_builds.pop(fact.build, None)
        now, why = time(), "its process ended without a word"
        for build, stage in open_stages:
            ended = StageEnded(
                time=now, build=build, stage=stage, state="crashed", name="Crashed", message=why
            )
            self.append(ended)
        for build in open_builds:
            self.append(BuildEnded(time=now, build=build, state="crashed"))
        self.append(RunEnded(time=now, state="crashed", message=why))

    def _told_path(self, destination: str) -> Path:
        return self.path.with_suffix(f".{destination}.json")


def _cut_torn_line(descriptor: int, path: Path) -> None:
    """Drops a last line without an end: a power cut leaves one."""
    whole = path.read_bytes()
    if not whole.endswith(b"\n"):
        os.ftruncate(descriptor, whole.rfind(b"\n") + 1)


def untold_folder(root: Path) -> Path:
    """Where outboxes lie."""
    return Paths(root).state / "untold"


def untold_outboxes(root: Path) -> list[Outbox]:
    """The outboxes of runs that have ended, oldest first, locked for whoever tells the rest."""
    found = []
    for path in sorted(untold_folder(root).glob("*.jsonl")):
        with suppress(BlockingIOError):
            outbox = Outbox(path)
            if outbox.size and outbox.is_in_place():
                outbox.end_for_the_dead()
                found.append(outbox)
            else:
                outbox.close(())
    return found
