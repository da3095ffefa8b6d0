"""The ids that rows have in their own source: kept on the disk while it is read, to find one of two texts."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from pipeline.core.errors import DataError
from pipeline.data.equal_rows import hashes_of
from pipeline.data.row_buckets import BUCKETS, HELD_BYTES, RowBuckets
from pipeline.data.row_ids import Ids

_SCHEMA = pa.schema(
    [("id", pa.uint64()), ("own", pa.string()), ("row", pa.uint64()), ("line", pa.int64())]
)


class SourceIds:
    """The own ids of one source's rows; in memory are those of one of 256 buckets at a time."""

    def __init__(self, file: Path, *, held: int = HELD_BYTES) -> None:
        """Take a new file, in which about 30 bytes are written for each row.

        Args:
            held: bytes that are held before they are written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._buckets = RowBuckets(file, held=held)

    def add(self, own: Sequence[str], rows: Ids, lines: Sequence[int]) -> None:
        """Takes own ids, the ids that follow from the texts of their rows, and their lines in the file."""
        hashes = hashes_of(own)[:, 0]
        self._buckets.add(
            pa.record_batch([pa.array(hashes), own, pa.array(rows), lines], schema=_SCHEMA)
        )

    def refuse_shared(self, where: str) -> None:
        """Raises DataError where two rows with different texts have one id; rows that are copies may share it.

        Args:
            where: source and file, for the message.
        """
        self._buckets.finish()
        for bucket in range(BUCKETS):
            self._refuse_shared(bucket, where)

    def close(self) -> None:
        """Closes the file, so that its bytes are free on the disk once it is removed."""
        self._buckets.close()

    def _refuse_shared(self, bucket: int, where: str) -> None:
        first: dict[str, tuple[int, int]] = {}
        for part in self._buckets.parts(slice(bucket, bucket + 1)):
            columns = (part[name].to_pylist() for name in ("own", "row", "line"))
            for own, row, line in zip(*columns, strict=True):
                found, before = first.setdefault(own, (row, line))
                if found != row:
                    raise DataError(
                        f"{where}: lines {before:,} and {line:,} have the id {own!r} and different texts",
                        expected="an id of its own for each text",
                        next_step="correct the file, or name another column as `id_column`",
                    )
