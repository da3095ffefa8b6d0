"""Opens a file as bytes, unpacked where it is packed with gzip or zstandard."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from pipeline.core.errors import DataError

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of packed files, and what pyarrow calls the packing."""
_MOST_TIMES = 200
"""Texts shrink to a third or a tenth; what shrinks more than this holds nothing to learn from."""
_HARMLESS = 200_000_000
"""Bytes to which any file may unpack, however well it was packed."""
_BLOCK = 1 << 16


def packing_of(path: Path) -> str | None:
    """`gzip` or `zstd` by the first bytes of the file; None where it is not packed."""
    with path.open("rb") as stream:
        start = stream.read(4)
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of the file as they were before it was packed, or as they are.

    Raises:
        DataError: while it is read: the file is cut off, or unpacks to far more than texts do.
    """
    packing = packing_of(path)
    if packing is None:
        with path.open("rb") as stream:
            yield stream
        return
    with io.BufferedReader(_Unpacking(path, packing), _BLOCK) as stream:
        yield cast(BinaryIO, stream)


class _Unpacking(io.RawIOBase):
    """Unpacks while it is read, so that no more than a block is in the memory."""

    def __init__(self, path: Path, packing: str) -> None:
        super().__init__()
        self._path, self._packing = path, packing
        self._stream = pa.input_stream(str(path), compression=packing)
        self._left = max(_HARMLESS, _MOST_TIMES * path.stat().st_size)

    def readable(self) -> bool:
        """Whether the stream can be read: always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills the buffer with the next bytes; returns how many."""
        try:
            part = self._stream.read(len(buffer))
        except OSError as error:
            raise DataError(
                f"{self._path.name} cannot be unpacked ({self._packing}): {error}",
                expected="a whole packed file",
                next_step="download or pack the file again",
            ) from error
        self._left -= len(part)
        if self._left < 0:
            raise DataError(
                f"{self._path.name} unpacks to more than {_MOST_TIMES} times its size",
                expected="a packed file of texts, which shrink to a third or a tenth",
                next_step="unpack it yourself, and look at what is in it",
            )
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()
        super().close()
