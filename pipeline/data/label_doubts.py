"""Says what is odd about the labels of a file: cells that may mean no label, dates, labels of a row or two."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pipeline.data.layout import FileRow

_NO_VALUE = {"n/a", "na", "#n/a", "<na>", "none", "nil", "-", "--", "?"}
_ABSENT = {"nan", "null"}
_FAULTS = {"#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"}
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{2}}|\d{{1,2}}월 ?\d{{1,2}}일|\d{{1,2}}月\d{{1,2}}日"
)
_FEWEST = 3
_SHOWN = 5


def doubts(counts: Mapping[str, int]) -> Iterator[str]:
    """What is odd about labels with these counts of rows, a sentence each."""
    for label, count in counts.items():
        said = label.strip().casefold()
        if said in _FAULTS:
            yield f"the label {label!r} ({_rows(count)}) is an error of a spreadsheet's formula, not a label"
        elif said in _NO_VALUE and not (said == "-" and "+" in counts):
            yield f"the label {label!r} ({_rows(count)}) may mean that there is none: if so, empty these cells"
    if dates := [label for label in counts if _DATE.fullmatch(label)]:
        yield f"a spreadsheet may have made dates of labels: {_some(dates)}"
    few = [label for label, count in counts.items() if count < _FEWEST]
    if few and len(few) < len(counts):
        yield f"labels of fewer than {_FEWEST} rows, perhaps misspelled: {_some(few)}"


def doubts_of_cells(rows: Sequence[FileRow], *, text: str, label: str) -> Iterator[str]:
    """What is odd about the cells of the two columns, a sentence each."""
    words = Counter(cell for _, row in rows if (cell := row.get(label, "")).casefold() in _ABSENT)
    for word, count in words.items():
        yield f"the word {word!r} in {label} ({_rows(count)}) counts as no label"
    again = [line for line, row in rows if row.get(label) == label and row.get(text) == text]
    if again:
        yield f"the names of the columns stand again in line {again[0]} ({_rows(len(again))}): take them out"


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:_SHOWN]) + ", …" * (len(labels) > _SHOWN)
