"""The ledger of splits: a text that was dealt to a split once stays there while the data grow.

`label` reads it, deals the texts that are new, and adds them (pipeline/core/split_files.py). A text is known
by the hash of its bare words: neither another id, nor another name of its source, nor a copy that takes its
place moves it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.sections import SplitShares
from pipeline.core.split_files import PROTECTED, Ledger
from pipeline.data.records import Record
from pipeline.text.bare_words import bare_words
from pipeline.text.split_assignment import split_of

_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """The splits of rows.

    Attributes:
        splits: of each row.
        ledger: the texts known before, and those of the rows.
        known: rows whose text was in the ledger.
        moved: rows that the ledger had in another split: rows that are new join their cluster with one of
            a more protected split, and near copies may not be in two.
    """

    splits: list[str]
    ledger: Ledger
    known: int
    moved: int


def deal(records: Sequence[Record], ledger: Ledger, *, salt: str, shares: SplitShares) -> Dealt:
    """The split of each record: the one that its cluster has in the ledger, else one by a hash.

    A cluster with texts of several splits goes to the most protected of them, so a text of test is never
    trained on later.
    """
    keys = [_key(record) for record in records]
    clusters: dict[str, set[str]] = defaultdict(set)
    for record, key in zip(records, keys, strict=True):
        if key in ledger:
            clusters[record.cluster or ""].add(ledger[key])
    splits = [
        min(known, key=PROTECTED.index)
        if (known := clusters.get(cluster := record.cluster or ""))
        else split_of(cluster, salt=salt, shares=shares)
        for record in records
    ]
    before = [ledger.get(key) for key in keys]
    return Dealt(
        splits=splits,
        ledger={**ledger, **dict(zip(keys, splits, strict=True))},
        known=sum(split is not None for split in before),
        moved=sum(old not in (None, new) for old, new in zip(before, splits, strict=True)),
    )


def _key(record: Record) -> str:
    """The hash of the record's bare words: the same for texts that differ in form alone."""
    texts = [record.text] if record.second is None else [record.text, record.second]
    words = "\n".join(bare_words(text) for text in texts)
    return hashlib.sha256(words.encode()).hexdigest()[:_DIGITS]
