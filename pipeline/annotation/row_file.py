"""The rows that people may label, in one Arrow file that is mapped into memory and never read whole.

The file is made from validate's two tables when an annotation server starts and they have changed since; of a
million rows that takes a second, and while the server runs only the pages of rows that are shown are in memory.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.artifacts.table_columns import ValidatedCorpus, ValidatedRecords
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path, sha256_json
from pipeline.core.paths import Paths
from pipeline.data.row_ids import Ids, is_id, numbers_of
from pipeline.data.tables import read_batches

_SCHEMA = pa.schema(
    {
        "id": pa.uint64(),
        "source": pa.string(),
        "text": pa.large_string(),
        "second": pa.large_string(),
        "label": pa.string(),
    }
)

_TEXTS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class LabellingRow:
    """A row that people may label.

    Attributes:
        text: the cleaned text, or the first of a pair.
        second: the second text of a pair; None where the product has no pairs.
        label: the label that its source gives; None where it has none.
    """

    id: str
    source: str
    text: str
    second: str | None
    label: str | None

    @property
    def text_sha(self) -> str:
        """SHA-256 of the text, or of both texts of a pair."""
        return hashlib.sha256("\0".join([self.text, self.second or ""]).encode()).hexdigest()


class RowFile:
    """Rows by their number in the file, or by their id."""

    def __init__(self, path: Path) -> None:
        """Open a file that `write_rows` wrote."""
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            self._table = file.read_all()
        ids = self._table["id"]
        self.ids: Ids = ids.chunk(0).to_numpy() if ids.num_chunks == 1 else ids.to_numpy()
        self._order = np.argsort(self.ids, kind="stable")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labelled(self) -> int:
        """How many rows have a label of their source."""
        return len(self) - int(self._table["label"].null_count)

    def place(self, row: str) -> int | None:
        """The number of the row with this id; None where there is none."""
        if not is_id(row):
            return None
        number = numbers_of([row])[0]
        place = int(np.searchsorted(self.ids, number, sorter=self._order))
        found = int(self._order[place]) if place < len(self.ids) else -1
        return found if found >= 0 and self.ids[found] == number else None

    def places(self, numbers: Ids) -> list[int]:
        """The numbers in the file of those rows that it has, for ids as numbers."""
        found = np.searchsorted(self.ids, numbers, sorter=self._order)
        inside = np.minimum(found, max(len(self.ids) - 1, 0))
        order = self._order[inside] if len(self.ids) else np.zeros(0, np.int64)
        return [int(place) for place in order[self.ids[order] == numbers]] if len(order) else []

    def row(self, place: int) -> LabellingRow:
        """The row with this number."""
        columns = {
            name: self._table[name][place].as_py() for name in ("source", "text", "second", "label")
        }
        return LabellingRow(id=f"{int(self.ids[place]):016x}", **columns)

    def texts(self) -> Iterator[tuple[str, str | None]]:
        """The texts of all rows, in their order; of which a part is in memory at a time."""
        for batch in self._table.select(["text", "second"]).to_batches(
            max_chunksize=_TEXTS_AT_ONCE
        ):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def waiting(self, *, pairs: bool) -> NDArray[np.bool_]:
        """Which rows have no label of their source, `(rows,)`; of a product of pairs, only those that are pairs."""
        waits = np.asarray(self._table["label"].is_null())
        if pairs:
            waits &= np.asarray(self._table["second"].is_valid())
        return waits


def row_file(paths: Paths, folder: Path) -> Path:
    """The file of rows for the tables that validate wrote last, made where it is not there yet.

    Args:
        folder: where the files are; older ones in it are removed.

    Raises:
        DataError: validate has not run.
    """
    there = validated_tables(paths)
    stands = [(table.name, *_stamp(table)) for table in there]
    path = folder / f"rows-{sha256_json(stands)[:16]}.arrow"
    if not path.exists():
        write_rows(path, there)
        for old in folder.glob("rows-*.arrow"):
            if old != path:
                old.unlink()
    return path


def newest_row_file(folder: Path) -> Path | None:
    """The row file that was made last in the folder; None where there is none."""
    found = sorted(folder.glob("rows-*.arrow"), key=lambda path: path.stat().st_mtime_ns)
    return found[-1] if found else None


def validated_tables(paths: Paths) -> list[Path]:
    """The tables of rows that validate wrote.

    Raises:
        DataError: validate has not run.
    """
    tables = [paths.artifacts / kind.FILE for kind in (ValidatedRecords, ValidatedCorpus)]
    there = [table for table in tables if table.exists()]
    if not there:
        raise DataError(
            "there are no rows to label yet",
            expected="artifacts/validate/records.parquet or corpus.parquet",
            next_step="run `make pipeline`, which reads and checks the sources first",
        )
    return there


def write_rows(path: Path, tables: Sequence[Path]) -> None:
    """Writes the rows of Parquet tables as one Arrow file, which may be mapped into memory."""
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, _SCHEMA) as file:
        for table in tables:
            for batch in _batches(table):
                file.write_batch(batch)


def _batches(table: Path) -> Iterator[pa.RecordBatch]:
    # A label of the corpus is one of a neighbouring task.
    is_corpus = table.name == Path(ValidatedCorpus.FILE).name
    for batch in read_batches(table):
        nothing = pa.nulls(batch.num_rows, pa.string())
        columns = {
            "id": pa.array(numbers_of(batch.column("id").to_pylist())),
            "source": batch.column("source"),
            "text": batch.column("text"),
            "second": nothing if is_corpus else batch.column("second"),
            "label": nothing if is_corpus else batch.column("label"),
        }
        cells = [column.cast(_SCHEMA.field(name).type) for name, column in columns.items()]
        yield pa.record_batch(cells, schema=_SCHEMA)


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file, which differ where it was written anew."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns
