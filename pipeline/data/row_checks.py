"""Takes out rows that must not be learned from, and puts near copies into clusters.

A row is a number here: texts stay in a file, and what is known of a row in arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.sections import ValidateParams
from pipeline.data.cleaned_rows import FAULTS, IS_PAIR, CleanedRows, cleaned_rows
from pipeline.data.copied_rows import Copies, find_copies
from pipeline.data.duplicates import near_clusters
from pipeline.data.equal_rows import first_equal, hashes_of
from pipeline.data.leaking_rows import LEAKS, leaks
from pipeline.data.records import Record
from pipeline.data.row_batches import WITH_SOURCE_IDS, RowBatches, records_of
from pipeline.data.row_ids import ids_of
from pipeline.data.stored_rows import Rows
from pipeline.data.text_sequence import TextSequence, stored_texts

COPY, CONFLICT = "copy of another row", "copies with different labels"
REASONS = (*FAULTS, COPY, CONFLICT, *LEAKS[1:])
"""Why rows are taken out; the first stands for rows that stay."""
_MAX_HYPOTHESES = 20
_FIRST_LEAK = len(REASONS) - len(LEAKS)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Rows that passed the checks, and the others with the reason.

    Attributes:
        kept: numbers of the rows that passed, by id.
        clusters: number of the first row of each one's cluster of near copies, `(kept,)`; empty where
            these were not sought.
        taken: numbers of the rows that were taken out.
        reasons: why, as places in REASONS, `(taken,)`.
    """

    rows: CleanedRows
    kept: Rows
    taken: Rows
    reasons: NDArray[np.uint8]
    clusters: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def kept_parts(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows that passed, in tables of a bounded size with these columns and `cluster`."""
        for part in self.rows.parts(self.kept):
            table = self.rows.stored.take(self.kept[part], columns)
            if len(self.clusters):
                names = ids_of(self.rows.facts["id"][self.clusters[part]])
                table = table.append_column("cluster", names)
            yield table

    def taken_parts(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows that were taken out, in tables of a bounded size with these columns and `reason`.

        Texts of unusable rows are as collect read them, or cleaned where personal data are replaced.
        """
        for part in self.rows.parts(self.taken):
            reasons = pa.array([REASONS[code] for code in self.reasons[part].tolist()], pa.string())
            table = self.rows.stored.take(self.taken[part], columns)
            yield table.append_column("reason", reasons)

    def words(self) -> TextSequence:
        """The bare words of the rows that passed, one line for each text of a row."""
        tables = self.kept_parts(["words"])
        chunks = (chunk for table in tables for chunk in table["words"].chunks)
        return stored_texts(chunks, folder=self.rows.stored.folder)

    @cached_property
    def records(self) -> list[Record]:
        """The rows that passed as objects, for callers with few."""
        return [
            row for table in self.kept_parts(WITH_SOURCE_IDS.names) for row in records_of(table)
        ]

    @cached_property
    def rejects(self) -> list[Record]:
        """The rows that were taken out as objects, for callers with few."""
        return [
            row for table in self.taken_parts(WITH_SOURCE_IDS.names) for row in records_of(table)
        ]


def check_labelled(rows: RowBatches, params: ValidateParams) -> Checked:
    """Clean labelled rows, take out the unusable and copies, and put near copies into clusters.

    Pairs with the same first text (hypotheses about one premise) are of one cluster: otherwise some
    could be trained on and others tested. A first text with very many pairs is a category, not a
    premise, and makes no cluster.
    """
    checked = without_copies(rows, params)
    words = checked.words()
    firsts = near_clusters(
        words, similarity=params.near_duplicate_similarity, together=_of_one_premise(checked, words)
    )
    # Rows are ordered by id, so the first of a cluster has its smallest id.
    return replace(checked, clusters=checked.kept[firsts])


def without_copies(rows: RowBatches, params: ValidateParams) -> Checked:
    """Clean rows without the unusable and without copies, as `check_labelled` does at first."""
    cleaned = cleaned_rows(rows, params)
    order = cleaned.in_order()
    unusable = order[cleaned.facts["fault"][order] > 0]
    copies = find_copies(cleaned)
    return Checked(
        rows=cleaned,
        kept=copies.kept,
        taken=np.concatenate([unusable, copies.taken]),
        reasons=np.concatenate([cleaned.facts["fault"][unusable], _reasons(copies)]),
    )


def check_corpus(rows: RowBatches, labelled: Sequence[str], params: ValidateParams) -> Checked:
    """Clean corpus rows, take out the unusable, copies, and those with a labelled row's text.

    A corpus text leaks a labelled one that it holds, equals, is part of or is nearly: their similarity
    is `near_duplicate_similarity` or more.

    Args:
        labelled: bare words of the labelled rows, one line for each text (see `Checked.words`).
    """
    checked = without_copies(rows, params)
    pieces = labelled if not any("\n" in line for line in labelled) else _pieces(labelled)
    found = leaks(checked.words(), pieces, similarity=params.near_duplicate_similarity)
    leaking = found > 0
    return replace(
        checked,
        kept=checked.kept[~leaking],
        taken=np.concatenate([checked.taken, checked.kept[leaking]]),
        reasons=np.concatenate([checked.reasons, found[leaking] + np.uint8(_FIRST_LEAK)]),
    )


def _reasons(copies: Copies) -> NDArray[np.uint8]:
    found = np.where(copies.is_disputed, REASONS.index(CONFLICT), REASONS.index(COPY))
    return found.astype(np.uint8)


def _of_one_premise(checked: Checked, words: Sequence[str]) -> Iterator[list[int]]:
    """Groups of places of pairs with the same first text, where these are not too many."""
    flags = checked.rows.facts["flags"][checked.kept]
    if not (flags & IS_PAIR).any():
        return
    firsts = first_equal(hashes_of(line.partition("\n")[0] for line in words))
    order = np.argsort(firsts, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(firsts[order]) > 0)[: len(order)])
    for group in np.split(order, starts[1:]):
        if 1 < len(group) <= _MAX_HYPOTHESES and flags[group[0]] & IS_PAIR:
            yield group.tolist()


def _pieces(lines: Sequence[str]) -> TextSequence:
    """The bare words of each text of pairs, one after the other."""
    rows, step = len(lines), 1 << 14
    parts = (
        pa.array([piece for line in lines[at : at + step] for piece in line.split("\n")])
        for at in range(0, rows, step)
    )
    return stored_texts(parts)
