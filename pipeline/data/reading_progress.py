"""Says how far a large file has been read, and how long the rest will take."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.core.progress import Progress, say
from pipeline.data.layout import FileRow, ending_of
from pipeline.data.packed import packing_of
from pipeline.data.parquet_file import parts_of_parquet
from pipeline.data.rows import JSON_KINDS
from pipeline.data.sources import bytes_of

LARGE_BYTES = 50_000_000
"""Smaller files are read in a few seconds, without a word."""
_OF_LINES = (".csv", ".tsv", ".txt", *JSON_KINDS)
_EVERY, _INTERVAL_SECONDS = 8_192, 5.0
_SAMPLES, _SAMPLE_BYTES = 16, 1 << 18


def with_progress(
    rows: Iterator[FileRow], file: Path, *, task: str, large: int = LARGE_BYTES
) -> Iterator[FileRow]:
    """Yields the rows; of a large file, says every few seconds how many lines were read.

    Args:
        large: bytes from which a file is large.
    """
    if bytes_of(file) < large:
        yield from rows
        return
    first = next(rows, None)  # the reader itself says what is wrong with a file
    if first is None:
        return
    yield first
    total = lines_in(file)
    progress = Progress(task, total) if total else _Counted(task)
    for number, (line, row) in enumerate(rows):
        yield line, row
        if number % _EVERY == 0:
            progress.update(min(line, total - 1) if total else line)
    if total:
        progress.update(total)


def lines_in(file: Path) -> int:
    """About how many lines a file has, by samples of it; of Parquet, how many rows.

    0 where that cannot be told: the file is packed, an array of JSON, or of another kind.
    """
    kind = ending_of(file)
    if kind == ".parquet":
        return sum(pq.read_metadata(part).num_rows for part in parts_of_parquet(file))
    if kind not in _OF_LINES or packing_of(file) is not None or _is_array(file):
        return 0
    size, ends, seen = file.stat().st_size, 0, 0
    with file.open("rb") as stream:
        for sample in range(_SAMPLES):
            stream.seek(size * sample // _SAMPLES)
            part = stream.read(min(_SAMPLE_BYTES, size // _SAMPLES + 1))
            ends, seen = ends + part.count(b"\n"), seen + len(part)
    return round(size * ends / max(seen, 1))


def _is_array(file: Path) -> bool:
    with file.open("rb") as stream:
        return (
            ending_of(file) == ".json"
            and stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
        )


class _Counted:
    """Says how many rows were read of a file whose number of rows is not known."""

    def __init__(self, task: str) -> None:
        self._task, self._spoke = task, time.monotonic()

    def update(self, done: int) -> None:
        """Takes the count; prints a line when it is time for one."""
        if time.monotonic() - self._spoke >= _INTERVAL_SECONDS:
            self._spoke = time.monotonic()
            say(f"{self._task}  {done:,} rows read")
