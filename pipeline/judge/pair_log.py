"""Keeps the pairs of one champion and one candidate in a file, which outlives the server.

A line is one JSON object: a pair, or what a worker could not compare (`Missed`). No line holds a text
or a hash of one. Several workers append to one file, each line in one write, and all read the same
lines in the same order, so they come to the same verdict. A line that a power cut has torn is counted
and left out.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pipeline.core.typed_json import MismatchError, read_as
from pipeline.judge.pairs import Pair


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Requests that were not compared since the last such line.

    Attributes:
        dropped: requests for which the queue had no place.
        refused: why the candidate cannot be tried; None where it can.
    """

    dropped: int = 0
    refused: str | None = None


class PairLog:
    """The file for one pair of bundles in a folder.

    Attributes:
        path: the file; it is made by the first line.
        damaged: lines read so far that are none.
    """

    def __init__(self, folder: Path, *, champion: str, candidate: str) -> None:
        self.path = folder / f"{champion[:16]}-{candidate[:16]}.jsonl"
        self.damaged = 0
        self._read_to = 0
        self._begun = False

    def append(self, line: Pair | Missed) -> None:
        """Adds a line in one write; a killed process loses none that was added."""
        text = json.dumps(asdict(line), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.path, flags, 0o644)
        try:
            # Ends a line that was torn before this process began, so that it spoils no other.
            torn = not self._begun and _is_torn(descriptor)
            os.write(descriptor, f"{chr(10) if torn else ''}{text}\n".encode())
        finally:
            os.close(descriptor)
        self._begun = True

    def read_new(self) -> Iterator[Pair | Missed]:
        """Yields the whole lines that nobody has read with this object yet."""
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            stream.seek(self._read_to)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._read_to += len(line)
                if (found := _parsed(line)) is not None:
                    yield found
                elif line.strip():
                    self.damaged += 1


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _parsed(line: bytes) -> Pair | Missed | None:
    """The line; None if it is none."""
    try:
        value = json.loads(line)
        missed = value.keys() <= _KEYS_OF_MISSED
        return read_as(Missed, value) if missed else read_as(Pair, value)
    except (ValueError, AttributeError, MismatchError):
        return None


_KEYS_OF_MISSED = {known.name for known in fields(Missed)}
