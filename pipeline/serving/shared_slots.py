"""Memory in which the workers of one server count, so that any of them can tell the sum of all.

The supervisor opens it and gives each worker a slot of its own, in which it alone writes. A worker that takes a
dead one's place goes on with its slot, so no count is lost or goes back, however a worker ended. The memory has no
name in the file system: it goes with the last process that holds it.
"""

import mmap
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

VARIABLE = "MODELYARD_COUNTS"
"""The variable in which a worker is told the descriptor of the memory and the number of its slot."""
SLOTS = 256
_SLOT_BYTES = 16_384
_HEAD_BYTES = 1024
_HEAD = struct.Struct("<QQH")
_NUMBERS = (_SLOT_BYTES - _HEAD_BYTES) // 8


def open_shared() -> int:
    """A descriptor of new memory for `SLOTS` workers; only what is written takes room."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("modelyard-counts")
    else:
        with tempfile.TemporaryFile() as unnamed:
            descriptor = os.dup(unnamed.fileno())
    os.ftruncate(descriptor, SLOTS * _SLOT_BYTES)
    return descriptor


@dataclass(frozen=True)
class Filled:
    """The numbers that one worker has counted.

    Attributes:
        alive: whether the worker that wrote last still runs.
        note: what it said of itself.
    """

    number: int
    pid: int
    alive: bool
    note: str
    values: tuple[int, ...]


class Slots:
    """The slots as one worker sees them.

    Attributes:
        number: of its own slot.
        values: its own numbers, int64, of which only it writes.
    """

    def __init__(self, memory: bytearray | mmap.mmap, number: int, *, meaning: int) -> None:
        """Takes a slot; what an earlier worker counted stays if its numbers meant the same.

        Args:
            meaning: a number that differs where the numbers of the slot mean something else.
        """
        self._memory, self.number, self._meaning = memoryview(memory), number, meaning
        own = self._memory[number * _SLOT_BYTES :][:_SLOT_BYTES]
        self.values: memoryview = own[_HEAD_BYTES:].cast("q")
        if self._head(number)[0] != meaning:
            self.values[:] = memoryview(bytes(_NUMBERS * 8)).cast("q")
        self.write_note("")

    @classmethod
    def of_worker(cls, environment: Mapping[str, str], *, meaning: int) -> "Slots":
        """The slots that the supervisor opened; a process without one counts for itself alone."""
        if (given := environment.get(VARIABLE)) is None:
            return cls(bytearray(_SLOT_BYTES), 0, meaning=meaning)
        descriptor, number = map(int, given.split(":"))
        memory = mmap.mmap(descriptor, SLOTS * _SLOT_BYTES)
        os.close(descriptor)  # the mapping stays
        return cls(memory, number, meaning=meaning)

    def write_note(self, note: str) -> None:
        """Says something of this worker, at most some thousand bytes; longer notes are left out."""
        encoded = note.encode()
        encoded = encoded if len(encoded) <= _HEAD_BYTES - _HEAD.size else b""
        start = self.number * _SLOT_BYTES
        head = _HEAD.pack(self._meaning, os.getpid(), len(encoded))
        self._memory[start : start + len(head) + len(encoded)] = head + encoded

    def filled(self) -> Iterator[Filled]:
        """Every slot whose numbers mean what this worker's do."""
        for number in range(len(self._memory) // _SLOT_BYTES):
            meaning, pid, length = self._head(number)
            if meaning != self._meaning:
                continue
            start = number * _SLOT_BYTES
            slot = self._memory[start : start + _SLOT_BYTES]
            note = str(slot[_HEAD.size : _HEAD.size + length], "utf-8", "replace")
            values = tuple(slot[_HEAD_BYTES:].cast("q"))
            yield Filled(number, pid, _is_alive(pid), note, values)

    def _head(self, number: int) -> tuple[int, int, int]:
        found: tuple[int, int, int] = _HEAD.unpack_from(self._memory, number * _SLOT_BYTES)
        return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
