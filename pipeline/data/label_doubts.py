"""Says what is odd about the labels of a file: cells that may mean no label, dates, labels of a row or two."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.data.layout import FileRow
from pipeline.problem.labelling import split_cell

_NO_VALUE = {
    "n/a",
    "na",
    "#n/a",
    "<na>",
    "none",
    "nil",
    "-",
    "--",
    "–",
    "—",
    "?",
    ".",
    "\\n",
    "undefined",
    "tbd",
}
_NO_VALUE |= {"unlabeled", "unlabelled", "not labeled", "미분류", "없음", "未标注", "未分類"}
_ABSENT = {"nan", "null"}
_FAULTS = {"#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"}
_MONTHS = (
    "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mrz|Mär|Mai|Okt|Dez|janv|févr|mars|avr|juin|juil|août"
    "|sept|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott"
)
"""Months as Excel shortens them in English, German, French, Spanish and Italian."""
_DATE = re.compile(
    rf"\d{{1,2}}(?:-|\. )(?:{_MONTHS})\.?|(?:{_MONTHS})\.?[- ]\d{{2}}|\d{{1,2}}월 ?\d{{1,2}}일|\d{{1,2}}月\d{{1,2}}日",
    re.IGNORECASE,
)
_WHOLE_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|\d{1,2}([/.])\d{1,2}\1\d{4}")
_SAME = str.maketrans(
    "аеорсухіѕјкмтвнαοεικρτυχνβ–—‐‑_’‘", "aeopcyxisjkmtbhaoeikptuxvb---- ''", "\ufe0e\ufe0f"
)
"""Letters of Cyrillic and Greek that look as Latin ones, dashes, and signs that only ask for colour."""
_FEWEST = 3
_SHOWN = 5


def doubts(counts: Mapping[str, int]) -> Iterator[str]:
    """Says what is odd about labels with these counts of rows, a sentence each."""
    for label, count in counts.items():
        said = label.strip().casefold()
        if said in _FAULTS:
            yield f"the label {label!r} ({_rows(count)}) is an error of a spreadsheet's formula, not a label"
        elif "\ufffd" in said or any(unicodedata.category(letter) == "Cc" for letter in said):
            yield f"the label {label!r} ({_rows(count)}) holds what is no letter: a program spoiled it"
        elif said in _NO_VALUE and not (said == "-" and "+" in counts):
            yield f"the label {label!r} ({_rows(count)}) may mean that there is none: if so, empty these cells"
    dates = [label for label in counts if _DATE.fullmatch(label)]
    whole = [label for label in counts if _WHOLE_DATE.fullmatch(label)]
    if dates := dates + whole * (len(whole) < len(counts)):
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
    again = [
        line
        for line, row in rows
        if _bare(row.get(label)) == _bare(label) and _bare(row.get(text)) == _bare(text)
    ]
    if again:
        yield f"the names of the columns stand again in line {again[0]} ({_rows(len(again))}): take them out"


def _bare(cell: str | None) -> str:
    """The cell without the byte order mark of a file that was joined to another."""
    return (cell or "").removeprefix("\ufeff").strip()


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
