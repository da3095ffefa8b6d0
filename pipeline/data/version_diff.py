"""The difference of two tables of rows: added, removed, with another label (and by whom), in another split.

Rows are matched by their ids, in Arrow and NumPy: no Python object a row is made, so a million rows take
seconds.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.errors import DataError

COMPARED = ("id", "source", "label", "split", "votes")
"""The columns of a version that are compared; texts are not, for the id is a hash of source and texts."""
ANNOTATORS, SOURCE = "annotators", "source"
"""Who gave a row its new label."""


@dataclass(frozen=True, kw_only=True)
class VersionDiff:
    """The rows in which two tables differ, in the order of the second one (of removed rows, the first).

    Attributes:
        added: `id`, `source`, `label`, `split` of rows that the first lacks.
        removed: the same of rows that the second lacks.
        relabelled: `id`, `before`, `after`, `by` and `who`. Where a vote on the row is new, gone or
            another, `by` is `annotators` and `who` the names of those who gave it; else the label comes
            from the source, and `who` names that.
        moved: `id`, `before`, `after` of rows whose split changed.
    """

    added: pa.Table
    removed: pa.Table
    relabelled: pa.Table
    moved: pa.Table

    @property
    def counts(self) -> dict[str, int]:
        """How many rows differ, by kind."""
        kinds = ("added", "removed", "relabelled", "moved")
        return {kind: len(getattr(self, kind)) for kind in kinds}


def difference(before: pa.Table, after: pa.Table) -> VersionDiff:
    """How two tables with the columns COMPARED differ.

    Raises:
        DataError: an id is there twice.
    """
    before, after = (table.select(COMPARED).combine_chunks() for table in (before, after))
    for table in (before, after):
        _require_unique(table)
    places = pc.index_in(_column(after, "id"), value_set=_column(before, "id"))
    is_new = places.is_null()
    found = places.drop_null()
    gone = np.ones(len(before), dtype=bool)
    gone[found.to_numpy()] = False
    old, new = before.take(found), after.filter(pc.invert(is_new))
    relabelled, moved = _differs(old, new, "label"), _differs(old, new, "split")
    facts = ["id", "source", "label", "split"]
    return VersionDiff(
        added=after.filter(is_new).select(facts),
        removed=before.filter(pa.array(gone)).select(facts),
        relabelled=_relabelled(old.filter(relabelled), new.filter(relabelled)),
        moved=_changes(old.filter(moved), new.filter(moved), "split"),
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    """A column as one array."""
    return table[name].combine_chunks()


def _require_unique(table: pa.Table) -> None:
    if (different := pc.count_distinct(table["id"]).as_py()) != len(table):
        raise DataError(
            f"{len(table):,} rows with {different:,} different ids",
            expected="an id of its own for each row",
            next_step="build the rows again with `make pipeline`",
        )


def _differs(old: pa.Table, new: pa.Table, name: str) -> pa.ChunkedArray:
    """Whether a column differs in each row; a missing value differs from any other."""
    one_is_missing = pc.xor(pc.is_null(old[name]), pc.is_null(new[name]))
    return pc.coalesce(pc.not_equal(old[name], new[name]), one_is_missing)


def _changes(old: pa.Table, new: pa.Table, name: str) -> pa.Table:
    """The ids of rows, and one column before and after."""
    return pa.table({"id": new["id"], "before": old[name], "after": new[name]})


def _relabelled(old: pa.Table, new: pa.Table) -> pa.Table:
    """The labels of rows before and after, and who gave the new ones."""
    names, voters, counts = _voters(old, new)
    by_votes = counts > 0
    # Each row's names stand behind each other; a row without a voter has the name of its source.
    sizes = np.where(by_votes, counts, 1)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    chosen = np.empty(ends[-1], dtype=np.int64)
    of_votes = np.repeat(by_votes, sizes)
    chosen[of_votes] = voters
    chosen[~of_votes] = len(names) + np.flatnonzero(~by_votes)
    known = pa.concat_arrays([names, _column(new, "source")])
    who = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), known.take(pa.array(chosen)))
    by = pc.if_else(pa.array(by_votes), ANNOTATORS, SOURCE)
    return _changes(old, new, "label").append_column("by", by).append_column("who", who)


def _voters(old: pa.Table, new: pa.Table) -> tuple[pa.Array, NDArray[np.int64], NDArray[np.int64]]:
    """The annotators of each row whose votes differ.

    Returns:
        The names of all annotators, sorted; the places among them of each row's annotators, row after row;
        and how many each row has, `(rows,)`.
    """
    sides = [_votes(table) for table in (old, new)]
    people = pa.concat_arrays([annotators for _, annotators, _ in sides])
    names = people.unique()
    names = names.take(pc.sort_indices(names))
    labels = pa.concat_arrays([given for _, _, given in sides]).unique()
    before, after = (
        (rows * len(names) + _places(annotators, names)) * len(labels) + _places(given, labels)
        for rows, annotators, given in sides
    )
    row_and_person = np.unique(np.setxor1d(before, after) // max(len(labels), 1))
    rows, voters = np.divmod(row_and_person, max(len(names), 1))
    return names, voters, np.bincount(rows, minlength=len(new))


def _votes(table: pa.Table) -> tuple[NDArray[np.int64], pa.Array, pa.Array]:
    """Row number, annotator and label of each vote."""
    votes = _column(table, "votes")
    given = pc.list_flatten(votes)
    rows = pc.list_parent_indices(votes).to_numpy().astype(np.int64)
    return rows, pc.struct_field(given, "annotator"), pc.struct_field(given, "label")


def _places(values: pa.Array, among: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.index_in(values, value_set=among), dtype=np.int64)
