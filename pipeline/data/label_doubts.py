"""Says what is odd about the labels of a file: cells that may mean no label, dates, labels of a row or two."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.data.layout import FileRow
from pipeline.problem.labelling import split_cell

_NO_VALUE = {"n/a", "na", "#n/a", "<na>", "none", "nil", "-", "--", "?"}
_ABSENT = {"nan", "null"}
_FAULTS = {"#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"}
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{2}}|\d{{1,2}}월 ?\d{{1,2}}일|\d{{1,2}}月\d{{1,2}}日"
)
_SAME = str.maketrans("аеорсухіѕјкмтвн–—‐‑_", "aeopcyxisjkmtbh---- ", "\ufe0e\ufe0f")
"""Letters of Cyrillic that look as Latin ones, dashes, and signs that only ask for colour."""
_FEWEST = 3
_SHOWN = 5


def doubts(counts: Mapping[str, int]) -> Iterator[str]:
    """Says what is odd about labels with these counts of rows, a sentence each."""
    for label, count in counts.items():
        said = label.strip().casefold()
        if said in _FAULTS:
            yield f"the label {label!r} ({_rows(count)}) is an error of a spreadsheet's formula, not a label"
        elif said in _NO_VALUE and not (said == "-" and "+" in counts):
            yield f"the label {label!r} ({_rows(count)}) may mean that there is none: if so, empty these cells"
    if dates := [label for label in counts if _DATE.fullmatch(label)]:
        yield f"a spreadsheet may have made dates of labels: {_some(dates)}"
    yield from _alike(counts)
    few = [label for label, count in counts.items() if count < _FEWEST]
    if few and len(few) < len(counts):
        yield f"labels of fewer than {_FEWEST} rows, perhaps misspelled: {_some(few)}"


def doubts_of_cells(rows: Sequence[FileRow], *, text: str, label: str) -> Iterator[str]:
    """Says what is odd about the cells of the two columns, a sentence each."""
    words = Counter(cell for _, row in rows if (cell := row.get(label, "")).casefold() in _ABSENT)
    for word, count in words.items():
        yield f"the word {word!r} in {label} ({_rows(count)}) counts as no label"
    twice = [line for line, row in rows if _has_twice(row.get(label, ""))]
    if twice:
        yield (
            f"a label is there twice in one list, as in line {twice[0]} ({_rows(len(twice))}): if each is of"
            " another person, write the one that most gave"
        )
    again = [line for line, row in rows if row.get(label) == label and row.get(text) == text]
    if again:
        yield f"the names of the columns stand again in line {again[0]} ({_rows(len(again))}): take them out"


def _has_twice(cell: str) -> bool:
    if not cell.startswith("["):
        return False
    parts = split_cell(cell, cell)
    return len({*parts}) < len(parts)


def _alike(labels: Iterable[str]) -> Iterator[str]:
    """Labels that look alike though their letters are others."""
    seen: dict[str, str] = {}
    for label in labels:
        form = unicodedata.normalize("NFKC", label).casefold().translate(_SAME)
        first = seen.setdefault(form, label)
        if first != label:
            named = ", ".join(_letters_apart(first, label))
            yield f"the labels {first!r} and {label!r} look alike{f' ({named})' if named else ''}"


def _letters_apart(first: str, second: str) -> list[str]:
    """Names of the letters that only one of the labels has, and that are not of ASCII."""
    odd = sorted({*first} ^ {*second})
    return [unicodedata.name(letter, "?").lower() for letter in odd if not letter.isascii()][:2]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:_SHOWN]) + ", …" * (len(labels) > _SHOWN)
