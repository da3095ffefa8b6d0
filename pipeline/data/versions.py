"""Data versions: named tables of all labelled rows that never change, and how they are read.

    from pipeline.data.versions import load

    version = load("v2")
    for batch in version.batches(split="train"):    # pyarrow.RecordBatch, one after the other
        ...
    version.arrow()                                 # pyarrow.Table
    version.pandas(columns=["text", "label"])       # pandas.DataFrame
    version.torch(split="train")                    # torch.utils.data.IterableDataset

A version is `versions/<name>.parquet` and, beside it, `versions/<name>.parquet.dvc`. DVC keeps the first
(`dvc push` and `dvc pull` move it to and from a remote), git the second, which holds the hashes of the
first and a note of what is in it. `modelyard data version NAME` makes both.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path, sha256_file, write_text
from pipeline.core.params import parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.data.annotations import Annotations
from pipeline.data.tables import column_names
from pipeline.problem.problem import Problem
from pipeline.text.split_assignment import SPLITS

if TYPE_CHECKING:
    from pandas import DataFrame

    from pipeline.data.torch_rows import VersionDataset

VOTES = pa.list_(pa.struct([("annotator", pa.string()), ("label", pa.string())]))
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("text", pa.string()),
        ("second", pa.string()),
        ("label", pa.string()),
        ("target", pa.list_(pa.float64())),
        ("cluster", pa.string()),
        ("split", pa.string()),
        ("votes", VOTES),
    ]
)
"""The columns of a version: those of label/records.parquet, the split, and what each annotator said."""
WITH_SOURCE_IDS = SCHEMA.insert(2, pa.field(SOURCE_ID, pa.string()))
"""The columns of a version of which a source has ids of its own."""
NOW = "now"
"""What comparisons call the rows of the last build; no version has this name."""

_SUFFIX = ".parquet.dvc"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NOTE = "modelyard"
"""Key of our note below `meta`, which DVC leaves to others."""
_GROUP_ROWS = 16_384
"""Rows of a row group, so that several readers can share even a small version."""


@dataclass(frozen=True, kw_only=True)
class SourceNote:
    """A source of the rows: its name, its file's SHA-256, its licence, and how many rows came from it."""

    name: str
    sha256: str
    licence: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class VersionNote:
    """A description of a version: its rows, and what they were made from.

    Attributes:
        labels: `product.labels`.
        made: when, in UTC.
        commit: the git commit that was checked out.
        uncommitted: whether files that git tracks differed from it.
        sha256: of the Parquet file.
        balance: see `balance`.
        splits: rows of each split.
        voted_rows: rows that people annotated.
    """

    product: str
    problem: str
    labels: list[str]
    made: str
    commit: str
    uncommitted: bool
    sha256: str
    rows: int
    balance: dict[str, int | float]
    splits: dict[str, int]
    voted_rows: int
    sources: list[SourceNote]


@dataclass(frozen=True, kw_only=True)
class DataVersion:
    """A version whose hash was checked.

    Attributes:
        path: its Parquet file.
    """

    name: str
    note: VersionNote
    path: Path

    @property
    def schema(self) -> pa.Schema:
        """The columns that the rows have."""
        return schema_of(self.path)

    def batches(
        self,
        *,
        split: str = "",
        columns: Sequence[str] = (),
        rows: int = _GROUP_ROWS,
        part: int = 0,
        parts: int = 1,
    ) -> Iterator[pa.RecordBatch]:
        """The rows, read from the disk as they are asked for.

        Args:
            split: rows of this split alone; of "", all.
            columns: these alone; none for all.
            rows: the most rows of a batch.
            part: which share of the row groups, from 0 to `parts` - 1, for readers side by side.
        """
        wanted = self._asked_for(split, columns)
        return self._read(wanted, split=split, rows=rows, part=part, parts=parts)

    def reader(self, *, split: str = "", columns: Sequence[str] = ()) -> pa.RecordBatchReader:
        """The batches as Arrow's own stream, which other libraries take."""
        kept, names = self.schema, self._asked_for(split, columns)
        schema = pa.schema([kept.field(name) for name in names])
        return pa.RecordBatchReader.from_batches(schema, self.batches(split=split, columns=columns))

    def arrow(self, *, split: str = "", columns: Sequence[str] = ()) -> pa.Table:
        """All rows in memory, as an Arrow table."""
        return self.reader(split=split, columns=columns).read_all()

    def pandas(self, *, split: str = "", columns: Sequence[str] = ()) -> "DataFrame":
        """All rows in memory, as a pandas table."""
        return self.arrow(split=split, columns=columns).to_pandas()

    def torch(self, *, split: str = "", columns: Sequence[str] = ()) -> "VersionDataset":
        """The rows as a stream for torch's DataLoader, whose workers share them."""
        from pipeline.data.torch_rows import VersionDataset

        read = partial(self.batches, split=split, columns=columns)
        return VersionDataset(read, rows=self.note.splits[split] if split else self.note.rows)

    def _asked_for(self, split: str, columns: Sequence[str]) -> list[str]:
        """The columns that are meant; raises DataError for a split or a column that there is not."""
        _require_known([split] if split else [], list(self.note.splits), what="split")
        known = self.schema.names
        _require_known(columns, known, what="column")
        return list(columns or known)

    def _read(
        self, wanted: list[str], *, split: str, rows: int, part: int, parts: int
    ) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            groups = list(range(file.num_row_groups))[part::parts]
            read = wanted if not split or "split" in wanted else [*wanted, "split"]
            for batch in file.iter_batches(batch_size=rows, row_groups=groups, columns=read):
                kept = batch.filter(pc.equal(batch["split"], split)) if split else batch
                if kept.num_rows:
                    yield kept.select(wanted)


def load(name: str, *, root: Path | None = None) -> DataVersion:
    """The version of this name, after its hash was checked; nothing is parsed before that.

    Args:
        root: the project's folder; as a default, the one in which Python was started.

    Raises:
        DataError: there is no such version, its file is not on this machine, or has other bytes.
    """
    folder = Paths(root or Path.cwd()).versions
    note = read_note(folder, name)
    path = folder / f"{name}.parquet"
    again = f"`dvc pull {folder.name}/{name}{_SUFFIX}`"
    if not path.is_file():
        raise DataError(
            f"{folder.name}/{path.name} is not on this machine",
            expected=f"the file that {folder.name}/{name}{_SUFFIX} names",
            next_step=f"{again} brings it from DVC's cache, or from your remote",
        )
    if (found := sha256_file(path)) != note.sha256:
        raise DataError(
            f"{folder.name}/{path.name} has SHA-256 {found[:12]}…",
            expected=f"{note.sha256[:12]}…, for a data version never changes",
            next_step=f"delete the file; {again} brings back what the version is",
        )
    return DataVersion(name=name, note=note, path=path)


def schema_of(path: Path) -> pa.Schema:
    """The columns of a version with the rows of a Parquet file, which may have the sources' own ids."""
    return WITH_SOURCE_IDS if SOURCE_ID in column_names(path) else SCHEMA


def version_names(folder: Path) -> list[str]:
    """Names of the versions in a folder, sorted."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


def read_note(folder: Path, name: str) -> VersionNote:
    """The note of a version.

    Raises:
        DataError: there is no version of this name, or its file is not one that we wrote.
    """
    require_name(name)
    path = folder / f"{name}{_SUFFIX}"
    if not path.is_file():
        raise DataError(
            f"no data version {name!r}",
            expected=f"one of: {', '.join(version_names(folder)) or '(none was made here)'}",
            next_step="name one of these, or make it with `modelyard data version NAME`",
        )
    try:
        return read_as(VersionNote, parse_yaml(path.read_text(encoding="utf-8"))["meta"][_NOTE])
    except (MismatchError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder.name}/{path.name} holds no note of a data version ({error})",
            expected="the file as `modelyard data version` wrote it",
            next_step=f"restore it from git; or delete it and run `modelyard data version {name}`",
        ) from error


def add_note(folder: Path, name: str, note: VersionNote) -> None:
    """Writes a version's note into the file that DVC has made for it; only then the version exists."""
    path = folder / f"{name}{_SUFFIX}"
    values = parse_yaml(path.read_text(encoding="utf-8")) | {"meta": {_NOTE: asdict(note)}}
    write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def require_free(folder: Path, name: str) -> None:
    """Raises DataError where a version has this name already, or where none can."""
    require_name(name)
    # DVC's part of a version that was not finished is made anew.
    if name in version_names(folder) and _NOTE in (folder / f"{name}{_SUFFIX}").read_text("utf-8"):
        raise DataError(
            f"there is a data version {name!r} already",
            expected="a new name, for a data version never changes",
            next_step="choose another name; `modelyard data list` shows those that are taken",
        )


def require_name(name: str) -> None:
    """Raises DataError for what cannot be the name of a version."""
    if _NAME.fullmatch(name) is None or name == NOW:
        raise DataError(
            f"{name!r} as the name of a data version",
            expected="1 to 63 of a to z, 0 to 9, `.`, `_` and `-`, the first a letter or a digit; not"
            f" {NOW}, which means the rows of the last build",
            next_step="choose such a name, as in v2",
        )


def present_rows(paths: Paths, votes: Annotations) -> Iterator[pa.RecordBatch]:
    """The rows as the last build left them, with their splits and votes, in the form of a version.

    Raises:
        DataError: label and prepare do not have the same rows.
    """
    labelled, prepared = (
        paths.read("label", "records.parquet"),
        paths.read("prepare", "records.parquet"),
    )
    ids = pq.read_table(labelled, columns=["id"])["id"].combine_chunks()
    splits = _in_order(ids, pq.read_table(prepared, columns=["id", "split"]))
    given, start, schema = votes_of(ids, votes), 0, schema_of(labelled)
    with pq.ParquetFile(labelled) as file:
        kept = [name for name in schema.names if name not in ("split", "votes")]
        for batch in file.iter_batches(batch_size=_GROUP_ROWS, columns=kept):
            rows = pa.Table.from_batches([batch])
            own = {"split": splits, "votes": given}
            for name, column in own.items():
                rows = rows.append_column(name, column.slice(start, len(rows)))
            start += len(rows)
            yield from rows.select(schema.names).cast(schema).combine_chunks().to_batches()


def _in_order(ids: pa.StringArray, prepared: pa.Table) -> pa.StringArray:
    """The splits of prepare's rows in the order of `ids`."""
    places = pc.index_in(ids, value_set=prepared["id"].combine_chunks())
    if places.null_count or len(ids) != len(prepared):
        raise DataError(
            f"label has {len(ids):,} rows and prepare {len(prepared):,}, {places.null_count:,} of label's "
            "are not in prepare",
            expected="the same rows, of one build",
            next_step="run `make pipeline`, which brings both up to date",
        )
    return prepared["split"].combine_chunks().take(places)


def votes_of(ids: pa.StringArray, votes: Annotations) -> pa.ListArray:
    """The votes of each row, `(rows,)`: lists of annotator and label, sorted by annotator.

    Votes on rows that are not among `ids` are left out; label has counted them.
    """
    voted = [*votes]
    places = pc.index_in(pa.array(voted, pa.string()), value_set=ids).to_pylist()
    known = sorted(
        (place, row) for place, row in zip(places, voted, strict=True) if place is not None
    )
    pairs = [pair for _, row in known for pair in sorted(votes[row].items())]
    counts = np.zeros(len(ids) + 1, dtype=np.int32)
    for place, row in known:
        counts[place + 1] = len(votes[row])
    names, labels = ([pair[part] for pair in pairs] for part in (0, 1))
    given = pa.StructArray.from_arrays(
        [pa.array(names, pa.string()), pa.array(labels, pa.string())], fields=[*VOTES.value_type]
    )
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), given, type=VOTES)


def write_rows(path: Path, rows: Iterable[pa.RecordBatch], *, schema: pa.Schema = SCHEMA) -> None:
    """Writes rows as a version's Parquet file, whole or not at all; equal rows give equal bytes."""
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in rows:
            writer.write_batch(batch, row_group_size=_GROUP_ROWS)


def figures_of(path: Path, *, problem: Problem, labels: Sequence[str]) -> dict[str, Any]:
    """The fields of a note that can be counted in a version's Parquet file."""
    table = pq.read_table(path, columns=["label", "split", "votes"])
    return {
        "sha256": sha256_file(path),
        "rows": len(table),
        "balance": balance(table["label"], problem=problem, labels=labels),
        "splits": dict.fromkeys(SPLITS, 0) | _counted(table["split"]),
        "voted_rows": int(pc.sum(pc.greater(pc.list_value_length(table["votes"]), 0)).as_py() or 0),
    }


def balance(
    stored: pa.ChunkedArray, *, problem: Problem, labels: Sequence[str]
) -> dict[str, int | float]:
    """Rows of each label, in the order of `labels`; of numbers, how many and how they are spread.

    Args:
        stored: the labels of the rows as tables hold them.
    """
    counted = _counted(stored)
    if spread := problem.spread([*Counter(counted).elements()]):
        return {"rows": len(stored), **spread}
    found = dict.fromkeys(labels, 0)
    for label, rows in counted.items():
        for name in problem.labels_in(label, labels):
            found[name] += rows
    return dict(found)


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value is there; nulls are left out."""
    pairs: list[Mapping[str, Any]] = column.drop_null().value_counts().to_pylist()
    return {
        pair["values"]: pair["counts"] for pair in sorted(pairs, key=lambda pair: pair["values"])
    }


def _require_known(names: Sequence[str], known: Sequence[str], *, what: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise DataError(
            f"no {what} {unknown[0]!r} in a data version",
            expected=f"one of: {', '.join(known)}",
            next_step="name one of these, or none for all",
        )
