"""The ledger of splits: a text that was dealt to a split once stays there while the data grow.

A file a product, `splits/<product>-<digest>.csv`, with a line for each text; the digest is of the salt and
the shares, so that a change of them deals all texts anew. `label` reads it, deals the texts that are new,
and adds them. A text is known by the hash of its bare words: neither another id, nor another name of its
source, nor a copy that takes its place moves it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.files import sha256_json, write_text
from pipeline.core.sections import SplitShares
from pipeline.data.records import Record
from pipeline.text.bare_words import bare_words
from pipeline.text.split_assignment import split_of

Ledger = Mapping[str, str]
"""Hash of a text's bare words → its split."""

_PROTECTED = ("test", "validation", "train")
"""The splits, the most protected one first."""
_HEADER = "text,split"
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


def ledger_file(folder: Path, *, product: str, salt: str, shares: SplitShares) -> Path:
    """The ledger of a product in the folder `splits`, for this salt and these shares."""
    digest = sha256_json([salt, shares.train, shares.validation, shares.test])[:8]
    return folder / f"{product}-{digest}.csv"


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
        min(known, key=_PROTECTED.index)
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


def read_ledger(file: Path) -> Ledger:
    """The ledger in a file; empty where there is none.

    Raises:
        DataError: the file is not one that `label` wrote.
    """
    if not file.exists():
        return {}
    header, *lines = file.read_text(encoding="utf-8").splitlines() or [""]
    ledger: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        key, _, split = line.partition(",")
        if len(key) != _DIGITS or split not in _PROTECTED or ledger.get(key, split) != split:
            raise _damaged(file, f"line {number}: {line[:40]!r}")
        ledger[key] = split
    if header != _HEADER:
        raise _damaged(file, f"line 1: {header[:40]!r}")
    return ledger


def write_ledger(file: Path, ledger: Ledger) -> None:
    """Writes a ledger; equal ones give equal bytes, and a file that holds it already is not touched."""
    lines = [_HEADER, *(f"{key},{split}" for key, split in sorted(ledger.items()))]
    text = "\n".join(lines) + "\n"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_text(file, text)


def add_ledgers(source: Path, target: Path) -> None:
    """Adds texts that the ledgers in one folder know to those of another, which keep what they say.

    So an experiment that makes other clusters, and moves texts for them, moves none but its own.
    """
    for file in sorted(source.glob("*.csv")):
        place = target / file.name
        write_ledger(place, {**read_ledger(file), **read_ledger(place)})


def sizes(dealt: Dealt) -> str:
    """How many rows each split has, in words."""
    counts = Counter(dealt.splits)
    return ", ".join(f"{counts[name]:,} {name}" for name in reversed(_PROTECTED))


def _key(record: Record) -> str:
    """The hash of the record's bare words: the same for texts that differ in form alone."""
    texts = [record.text] if record.second is None else [record.text, record.second]
    words = "\n".join(bare_words(text) for text in texts)
    return hashlib.sha256(words.encode()).hexdigest()[:_DIGITS]


def _damaged(file: Path, what: str) -> DataError:
    return DataError(
        f"{file.parent.name}/{file.name}, {what}",
        expected=f"a line `{_HEADER}`, then one for each text: {_DIGITS} hex digits and its split",
        next_step="bring back the file that you had (git, a colleague, a data version): without it texts"
        " may change splits. Only if there is none, delete it, and all texts are dealt anew",
    )
