"""The files in `splits/`: which texts were dealt to which split, a file a product.

`splits/<product>-<digest>.csv` has a line for each text; the digest is of the salt and the shares, so that a
change of them deals all texts anew. Lines are sorted, so git can merge the file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from heapq import merge
from itertools import groupby, pairwise, zip_longest
from operator import itemgetter
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path, sha256_json
from pipeline.core.sections import SplitShares

Ledger = Mapping[str, str]
"""Hash of a text's bare words, 16 hex digits → its split."""

PROTECTED = ("test", "validation", "train")
"""The splits, the most protected one first."""
_HEADER = "text,split"
_DIGITS = 16
_LINE = re.compile(rf"([0-9a-f]{{{_DIGITS}}}),({'|'.join(PROTECTED)})\n?")


def ledger_file(folder: Path, *, product: str, salt: str, shares: SplitShares) -> Path:
    """The ledger of a product in the folder `splits`, for this salt and these shares."""
    digest = sha256_json([salt, shares.train, shares.validation, shares.test])[:8]
    return folder / f"{product}-{digest}.csv"


def is_ledger_of(product: str, file: Path) -> bool:
    """Whether a file is the product's ledger, for some salt and shares."""
    return file.stem.rpartition("-")[0] == product


def read_ledger(file: Path) -> Ledger:
    """The ledger in a file; empty where there is none.

    Raises:
        DataError: the file is not one that `label` wrote.
    """
    ledger: dict[str, str] = {}
    for number, (key, split) in enumerate(ledger_entries(file), start=2):
        if ledger.get(key, split) != split:
            raise two_splits(file, number, key, split)
        ledger[key] = split
    return ledger


def ledger_entries(file: Path) -> Iterator[tuple[str, str]]:
    """Each text of a ledger with its split, line by line; none where there is no file.

    A text may be there twice, as after a merge by git: with two splits it is an error (see `two_splits`).

    Raises:
        DataError: a line is not one that `label` wrote.
    """
    if not file.exists():
        return
    with file.open(encoding="utf-8") as stream:
        header = stream.readline().rstrip("\n")
        for number, line in enumerate(stream, start=2):
            if not (found := _LINE.fullmatch(line)):
                raise _damaged(file, f"line {number}: {line.rstrip()[:40]!r}")
            yield found[1], found[2]
    if header != _HEADER:
        raise _damaged(file, f"line 1: {header[:40]!r}")


def two_splits(file: Path, number: int, key: str, split: str) -> DataError:
    """The error of a line whose text has another split before, by the line's number from 1."""
    return _damaged(file, f"line {number}: {f'{key},{split}'!r}")


def write_entries(file: Path, entries: Callable[[], Iterable[tuple[str, str]]]) -> None:
    """Writes a ledger line by line; a file that holds it already is not touched.

    Args:
        entries: gives each text with its split, ordered by text, as often as it is called.
    """

    def lines() -> Iterator[str]:
        yield f"{_HEADER}\n"
        yield from (f"{key},{split}\n" for key, split in entries())

    if file.exists():
        with file.open(encoding="utf-8", newline="") as stream:
            if all(one == other for one, other in zip_longest(stream, lines())):
                return
    with atomic_path(file) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(lines())


def add_ledgers(source: Path, target: Path, *, with_moves: bool) -> None:
    """Adds texts that the ledgers in one folder know to those of another.

    Args:
        with_moves: whether a text that both know goes to the more protected split; else it stays where
            the target has it, for an experiment with other clusters shall move no text but its own.
    """
    for file in sorted(source.glob("*.csv")):
        place = target / file.name
        write_entries(place, partial(_joined, place, file, with_moves=with_moves))


def _joined(ours: Path, theirs: Path, *, with_moves: bool) -> Iterator[tuple[str, str]]:
    """The texts of two ledgers in order; one that both know has our split, or the more protected one."""
    entries = merge(
        _in_order(ours), _in_order(theirs), key=itemgetter(0)
    )  # of equal ones, ours first
    for key, both in groupby(entries, key=itemgetter(0)):
        splits = [split for _, split in both]
        yield key, min(splits, key=PROTECTED.index) if with_moves else splits[0]


def _in_order(file: Path) -> Iterator[tuple[str, str]]:
    """The texts of a ledger in order, each once; none but of a file that lost its order are in memory.

    Raises:
        DataError: as `read_ledger` does.
    """
    if any(one > other for (one, _), (other, _) in pairwise(ledger_entries(file))):
        yield from sorted(read_ledger(file).items())
        return
    known = "", ""
    for number, (key, split) in enumerate(ledger_entries(file), start=2):
        if key != known[0]:
            yield (known := (key, split))
        elif split != known[1]:
            raise two_splits(file, number, key, split)


def _damaged(file: Path, what: str) -> DataError:
    return DataError(
        f"{file.parent.name}/{file.name}, {what}",
        expected=f"a line `{_HEADER}`, then one for each text: {_DIGITS} hex digits and its split",
        next_step="bring back the file that you had (git, a colleague, a data version): without it texts"
        " may change splits. Only if there is none, delete it, and all texts are dealt anew",
    )
