"""The files in `splits/`: which texts were dealt to which split, a file a product.

`splits/<product>-<digest>.csv` has a line for each text; the digest is of the salt and the shares, so that a
change of them deals all texts anew. Lines are sorted, so git can merge the file.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.files import sha256_json, write_text
from pipeline.core.sections import SplitShares

Ledger = Mapping[str, str]
"""Hash of a text's bare words, 16 hex digits → its split."""

PROTECTED = ("test", "validation", "train")
"""The splits, the most protected one first."""
_HEADER = "text,split"
_DIGITS = 16


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
    if not file.exists():
        return {}
    header, *lines = file.read_text(encoding="utf-8").splitlines() or [""]
    ledger: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        key, _, split = line.partition(",")
        if len(key) != _DIGITS or split not in PROTECTED or ledger.get(key, split) != split:
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


def add_ledgers(source: Path, target: Path, *, with_moves: bool) -> None:
    """Adds texts that the ledgers in one folder know to those of another.

    Args:
        with_moves: whether a text that both know goes to the more protected split; else it stays where
            the target has it, for an experiment with other clusters shall move no text but its own.
    """
    for file in sorted(source.glob("*.csv")):
        place = target / file.name
        ours, theirs = read_ledger(place), read_ledger(file)
        found = {**theirs, **ours}
        if with_moves:
            found |= {
                key: min(ours[key], split, key=PROTECTED.index)
                for key, split in theirs.items()
                if key in ours
            }
        write_ledger(place, found)


def _damaged(file: Path, what: str) -> DataError:
    return DataError(
        f"{file.parent.name}/{file.name}, {what}",
        expected=f"a line `{_HEADER}`, then one for each text: {_DIGITS} hex digits and its split",
        next_step="bring back the file that you had (git, a colleague, a data version): without it texts"
        " may change splits. Only if there is none, delete it, and all texts are dealt anew",
    )
