"""The ledger of splits: a text that was dealt to a split once stays there while the data grow.

`label` reads it, deals the texts that are new, and adds them (pipeline/core/split_files.py). A text is known
by the hash of its bare words: neither another id, nor another name of its source, nor a copy that takes its
place moves it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.core.sections import SplitShares
from pipeline.core.split_files import PROTECTED, ledger_entries, two_splits, write_entries
from pipeline.data.row_ids import Ids, ids_of, numbers_of
from pipeline.text.split_assignment import split_of

Splits = NDArray[np.uint8]
"""Places in PROTECTED: the smaller, the more protected."""
_BYTES = 8
_AT_ONCE = 1 << 16
_UNKNOWN = len(PROTECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLedger:
    """The texts that were dealt once, 9 bytes each.

    Attributes:
        keys: of the texts (see `text_keys`), sorted, `(texts,)`.
        splits: of each, `(texts,)`.
    """

    keys: Ids
    splits: Splits

    def splits_of(self, keys: Ids) -> Splits:
        """The split of each text; `len(PROTECTED)` for one that was never dealt, `(keys,)`."""
        if not len(self.keys):
            return np.full(len(keys), _UNKNOWN, dtype=np.uint8)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found: Splits = np.where(self.keys[places] == keys, self.splits[places], np.uint8(_UNKNOWN))
        return found


EMPTY = SplitLedger(keys=np.zeros(0, dtype=np.uint64), splits=np.zeros(0, dtype=np.uint8))
"""The ledger of a product of which no text was dealt yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """The splits of rows.

    Attributes:
        splits: of each row, `(rows,)`.
        ledger: the texts known before, and those of the rows.
        known: rows whose text was in the ledger.
        moved: rows that the ledger had in another split: rows that are new join their cluster with one of
            a more protected split, and near copies may not be in two.
    """

    splits: Splits
    ledger: SplitLedger
    known: int
    moved: int


def text_keys(words: Iterable[bytes]) -> Ids:
    """The key of each row in a ledger, `(rows,)`: equal for texts that differ in form alone.

    Args:
        words: of each row as `bare_lines` gives them.
    """
    digests = (hashlib.sha256(line).digest()[:_BYTES] for line in words)
    parts = [np.zeros(0, dtype=np.uint64)]
    while part := b"".join(islice(digests, _AT_ONCE)):
        parts.append(np.frombuffer(part, dtype=">u8").astype(np.uint64))
    return np.concatenate(parts)


def deal(keys: Ids, clusters: Ids, ledger: SplitLedger, *, salt: str, shares: SplitShares) -> Dealt:
    """The split of each row: the one that its cluster has in the ledger, else one by a hash.

    A cluster with texts of several splits goes to the most protected of them, so a text of test is never
    trained on later.

    Args:
        keys: of the rows' texts, `(rows,)`.
        clusters: numbers of the ids that name the rows' clusters, `(rows,)`.
    """
    before = ledger.splits_of(keys)
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(clusters[order]) > 0)[: len(order)])
    of_clusters = np.minimum.reduceat(before[order], starts) if len(order) else before
    new = of_clusters == _UNKNOWN
    of_clusters[new] = _by_hash(clusters[order[starts[new]]], salt=salt, shares=shares)
    splits = np.empty(len(keys), dtype=np.uint8)
    splits[order] = np.repeat(of_clusters, np.diff(np.append(starts, len(order))))
    is_known = before != _UNKNOWN
    return Dealt(
        splits=splits,
        ledger=_ledger(np.append(ledger.keys, keys), np.append(ledger.splits, splits)),
        known=int(is_known.sum()),
        moved=int((is_known & (before != splits)).sum()),
    )


def read_split_ledger(file: Path) -> SplitLedger:
    """The ledger in a file; empty where there is none.

    Raises:
        DataError: the file is not one that `label` wrote.
    """
    places = {split: place for place, split in enumerate(PROTECTED)}
    keys, splits = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.uint8)]
    rest = ledger_entries(file)
    while entries := [*islice(rest, _AT_ONCE)]:
        keys.append(numbers_of([key for key, _ in entries]))
        splits.append(np.array([places[split] for _, split in entries], dtype=np.uint8))
    all_keys, all_splits = np.concatenate(keys), np.concatenate(splits)
    order = np.argsort(all_keys, kind="stable")
    same = np.diff(all_keys[order]) == 0
    if (apart := order[1:][same & (np.diff(all_splits[order].astype(np.int8)) != 0)]).size:
        row = int(apart.min())
        [key] = ids_of(all_keys[row : row + 1]).to_pylist()
        raise two_splits(file, row + 2, key, PROTECTED[all_splits[row]])
    return _ledger(all_keys, all_splits)


def write_split_ledger(file: Path, ledger: SplitLedger) -> None:
    """Writes a ledger; equal ones give equal bytes, and a file that holds it already is not touched."""

    def entries() -> Iterator[tuple[str, str]]:
        for start in range(0, len(ledger.keys), _AT_ONCE):
            keys = ids_of(ledger.keys[start : start + _AT_ONCE]).to_pylist()
            splits = ledger.splits[start : start + _AT_ONCE].tolist()
            yield from zip(keys, (PROTECTED[split] for split in splits), strict=True)

    write_entries(file, entries)


def _ledger(keys: Ids, splits: Splits) -> SplitLedger:
    """The ledger of texts in any order; of one that is there twice, the later split counts."""
    order = np.argsort(keys, kind="stable")
    last = np.append(np.diff(keys[order]) > 0, True)[: len(order)]
    return SplitLedger(keys=keys[order[last]], splits=splits[order[last]])


def _by_hash(clusters: Ids, *, salt: str, shares: SplitShares) -> Splits:
    """The split of each cluster by a hash of its name, `(clusters,)`."""
    found = np.empty(len(clusters), dtype=np.uint8)
    for start in range(0, len(clusters), _AT_ONCE):
        names = ids_of(clusters[start : start + _AT_ONCE]).to_pylist()
        found[start : start + len(names)] = [
            PROTECTED.index(split_of(name, salt=salt, shares=shares)) for name in names
        ]
    return found
