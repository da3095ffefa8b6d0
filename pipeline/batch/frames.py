"""Sends blocks of bytes over a pipe, each with its length before it, so that a reader takes whole ones."""

import struct
from typing import IO

_LENGTH = struct.Struct("<Q")


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Sends one block.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    left = memoryview(_LENGTH.pack(len(content)) + content)
    while left:  # a signal may end a write to a pipe without a buffer before all of it is sent
        left = left[stream.write(left) :]
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next block; None where the other side has ended, in the middle of a block too."""
    head = _read(stream, _LENGTH.size)
    return None if head is None else _read(stream, _LENGTH.unpack(head)[0])


def _read(stream: IO[bytes], size: int) -> bytes | None:
    """Exactly so many bytes; None where the stream ends before. A pipe without a buffer gives them in pieces."""
    pieces: list[bytes] = []
    while size:
        piece = stream.read(size)
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
