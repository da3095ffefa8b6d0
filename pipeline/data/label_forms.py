"""Says what the values of a label column ask for: one label a text, several, or a number."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.errors import DataError
from pipeline.data.columns import Column
from pipeline.data.wanted_columns import composed
from pipeline.problem.labelling import BETWEEN_LABELS, Labelling, number_in, split_cell
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION

_SEPARATORS = ("|", ";", ",", "#", "/", "+")
_MOST_CLASSES_OF_NUMBERS = 20
_LONGEST_LABEL = 40
_SHARE_OF_SEVERAL = 0.02
_SHARE_OF_HIDDEN = 0.05
_OF_PYTHON = "a list, tuple or set in Python's form"
_KINDS = {list: "a list of lists", dict: "a list of objects"}
_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Letters that no screen shows; the joiners of emoji and of Persian are not among them."""
_THOUSANDS = re.compile(
    r"-?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
    r"|\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"
)
"""Numbers with a mark between thousands, as in America, India, France, Switzerland and Germany."""
_DECIMAL_COMMA = re.compile(r"-?\d+(?:,\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelForm:
    """Kind and labels of a label column.

    Attributes:
        counts: label of the product → rows that have it; of a number, its name → rows.
        values: value in the file → label; empty where the file holds the labels themselves.
        separator: between the labels of one row; None for one label and for numbers.
    """

    problem: str
    counts: Mapping[str, int]
    values: Mapping[str, str]
    separator: str | None = None

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the product file: numbers by size, others by name."""
        return sorted(self.counts, key=_by_size)

    @property
    def labelling(self) -> Labelling:
        """How collect will read the column."""
        return Labelling(self.labels, self.values, self.separator or "")


def form_of_names(names: Sequence[str]) -> LabelForm:
    """The product of one label a text whose labels people will give.

    Raises:
        DataError: there are not two different names or more.
    """
    plain = [" ".join(name.split()) for name in names]
    if len({*plain}) < 2 or len({*plain}) < len(plain) or not all(plain):
        raise DataError(
            f"the labels {', '.join(map(repr, names))}",
            expected="two names or more, all different",
            next_step="give them as --labels complaint,question,other",
        )
    return LabelForm(problem=CLASSIFICATION, counts=dict.fromkeys(plain, 0), values={})


def form_of(column: Column) -> LabelForm:
    """Kind and labels of the product that the column asks for.

    Raises:
        DataError: all rows have one label, or nearly each has its own; or see `likely_form`.
    """
    form = likely_form(column)
    if len(form.counts) < 2 and form.problem == CLASSIFICATION:
        raise DataError(
            f"every row has the same label in {column.name}: {', '.join(form.counts) or '(none)'}",
            expected="rows of at least two labels",
            next_step="add rows of another label, or name another column with --label",
        )
    require_repeated(column, form)
    return form


def likely_form(column: Column) -> LabelForm:
    """Kind and labels of the column, however few of them there are.

    Raises:
        DataError: a value is damaged: a decimal comma, a sign for a hidden label, lists of spans.
    """
    _refuse_objects(column)
    _refuse_odd_numbers(column)
    separator = _separator(column)
    if separator is not None:
        return _several(column, separator)
    if _is_measure(column):
        return LabelForm(problem=REGRESSION, counts={column.name: column.filled}, values={})
    _refuse_hidden(column)
    return _one(column)


def require_repeated(column: Column, form: LabelForm) -> None:
    """Raises DataError where nearly each row has a label of its own."""
    if column.variety > 0.5 and form.problem == CLASSIFICATION:
        raise DataError(
            f"{len(column.values):,} different labels in {column.filled:,} rows of {column.name}, such as "
            f"{', '.join(repr(value[:30]) for value in column.examples)}",
            expected="labels that repeat: dozens of rows for each",
            next_step="name the column of the labels with --label",
        )


def _refuse_objects(column: Column) -> None:
    """Raises DataError for a JSON object, or a list of such, of lists, or in Python's quotes. None of it is told."""
    for value in column.values:
        if (kind := _kind_of(value)) is None:
            continue
        line = column.lines[value]
        if kind == _OF_PYTHON:
            raise DataError(
                f"line {line}: {column.name} holds {kind}",
                expected='a label, or a JSON list of labels in double quotes, as ["bad"]',
                next_step="write the label itself, or the list with `json.dumps`",
            )
        raise DataError(
            f"line {line}: {column.name} holds {kind}",
            expected="a label, or a JSON list of labels, of the whole text",
            next_step=f"write the label itself into {column.name!r}: of several people the one that most gave;"
            " labels of parts of a text are of no use here",
        )


def _kind_of(value: str) -> str | None:
    """Names what a label cell holds that is no label, nor a list of labels; None where it is one."""
    if not value.startswith(("[", "{", "('")):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return _OF_PYTHON if value.startswith(("['", "[(", "{'", "('")) else None
    if isinstance(found, dict):
        return "an object"
    return next((_KINDS[type(part)] for part in found if isinstance(part, list | dict)), None)


def _refuse_odd_numbers(column: Column) -> None:
    """Raises DataError for numbers with a decimal comma, and for one that only Python would read."""
    grouped = [value for value in column.values if _THOUSANDS.fullmatch(value.strip())]
    numbers = (v in grouped or number_in(v) is not None or _is_decimal(v) for v in column.values)
    if grouped and all(numbers):
        american = all("," in value for value in grouped)
        mark = "comma" if american else "mark between thousands"
        raise DataError(
            f"line {column.lines[grouped[0]]}: a number with a {mark} in {column.name}, such as {grouped[0]!r}",
            expected="numbers of digits and a point alone, as 1000 or 4.5",
            next_step="save the file again without commas: a comma may stand between thousands, or be a decimal one"
            if american
            else "save the file again without marks between thousands, and with a point before decimals",
        )
    commas = next((value for value in column.values if "," in value), None)
    if commas and all(_DECIMAL_COMMA.fullmatch(value.strip()) for value in column.values):
        raise DataError(
            f"line {column.lines[commas]}: numbers with a decimal comma in {column.name}, such as {commas!r}",
            expected="numbers with a point, as 4.5",
            next_step="save the file again with points (in Excel: File, Options, Advanced, decimal separator)",
        )
    odd = [value for value in column.values if number_in(value) is None]
    if not 0 < sum(column.values[value] for value in odd) < column.filled / 2:
        return
    if like := next((value for value in odd if _is_nearly_number(value)), None):
        raise DataError(
            f"line {column.lines[like]}: {like!r} in {column.name}, beside numbers",
            expected="finite numbers, written with digits and a point, as 4.5",
            next_step="correct the row in the file",
        )


def _is_decimal(value: str) -> bool:
    """Whether a value is a number with a decimal comma."""
    return _DECIMAL_COMMA.fullmatch(value.strip()) is not None


def _is_nearly_number(value: str) -> bool:
    """Whether a value would be a number if it were written another way: `1_000`, `inf`, `4,5`."""
    if _DECIMAL_COMMA.fullmatch(value.strip()):
        return True
    try:
        float(value)
    except ValueError:
        return False
    return True


def _refuse_hidden(column: Column) -> None:
    """Raises DataError for -1 on a few rows beside 0, 1 and so on: data sets hide labels so."""
    numbers = {value: number for value in column.values if (number := number_in(value)) is not None}
    hidden = next((value for value, number in numbers.items() if number == -1), None)
    if hidden is None or len(numbers) < len(column.values):
        return
    others = [number for number in numbers.values() if number != -1]
    rows = column.values[hidden]
    if not others or (min(others) == 0 and rows < _SHARE_OF_HIDDEN * column.filled):
        raise DataError(
            f"line {column.lines[hidden]}: the label {hidden} in {column.name}, on {rows:,} of "
            f"{column.filled:,} rows",
            expected="labels that mean something: data sets write -1 where the label is hidden",
            next_step="leave these rows out, or empty their label; if it is a label, write it as a word",
        )


def _separator(column: Column) -> str | None:
    """The separator of several labels a row; None where each row has one."""
    if column.is_listed:
        return BETWEEN_LABELS if _several_listed(column) else None
    if column.is_numeric:
        return None
    return next((mark for mark in _SEPARATORS if _joins(column, mark)), None)


def _several_listed(column: Column) -> bool:
    """Whether lists hold several labels a row; `DataError` where hardly any row has several."""
    lists = {value: len(split_cell(value, BETWEEN_LABELS)) for value in column.values}
    _refuse_numbers_in_places(column, max(lists.values(), default=0))
    rows = sum(column.values[value] for value, length in lists.items() if length > 1)
    if 0 < rows < _SHARE_OF_SEVERAL * column.filled:
        value = next(value for value, length in lists.items() if length > 1)
        raise DataError(
            f"line {column.lines[value]}: several labels in one row ({', '.join(split_cell(value, BETWEEN_LABELS))})",
            expected=f"one label a row, as {column.filled - rows:,} of {column.filled:,} rows have",
            next_step="keep one label in these rows; or, where texts may have several, write a product file "
            "with `problem: multi_label` and a `label_separator`",
        )
    return rows > 0


def _refuse_numbers_in_places(column: Column, length: int) -> None:
    """Raises DataError for lists of equal length whose numbers stand for labels by their places.

    These are 0 and 1 for each label, one of them twice in a list at least, or fractions.
    """
    lists = [split_cell(value, BETWEEN_LABELS) for value in column.values]
    numbers = [[number_in(part) for part in parts] for parts in lists]
    if length < 2 or any(len(row) != length or None in row for row in numbers):
        return
    zero_or_one = all({*row} <= {0.0, 1.0} for row in numbers)
    repeated = length > 2 or any(len({*row}) < length for row in numbers) or len(numbers) < 3
    fractions = any(not float(part or 0).is_integer() for row in numbers for part in row)
    if fractions or (zero_or_one and repeated):
        what = "fractions" if fractions else "0 and 1"
        raise DataError(
            f"line {min(column.lines.values())}: {column.name} holds lists of {length} numbers, {what}, one for each"
            " label",
            expected="the names of the labels that the text has",
            next_step="write the names of those labels that are 1 (of shares, the largest) into the column",
        )


def _joins(column: Column, mark: str) -> bool:
    """Whether `mark` joins labels: the parts are short, and fewer than the values made of them."""
    cells = {value: split_cell(value, mark) for value in column.values}
    joined = {value: parts for value, parts in cells.items() if len(parts) > 1}
    parts = {part for found in cells.values() for part in found}
    alone = any(part in column.values for found in joined.values() for part in found)
    short = all(len(part) <= _LONGEST_LABEL for part in parts)
    several = sum(column.values[value] for value in joined)
    enough = several >= max(1, _SHARE_OF_SEVERAL * column.filled)
    return short and enough and (alone or len(parts) < len(cells))


def _several(column: Column, separator: str) -> LabelForm:
    counts = Counter[str]()
    for value, count in column.values.items():
        counts.update(dict.fromkeys(split_cell(value, separator), count))
    return LabelForm(problem=MULTI_LABEL, counts=counts, values={}, separator=separator)


def _is_measure(column: Column) -> bool:
    """Whether the column is a number to predict: there are fractions, or too many for classes."""
    if not column.is_numeric:
        return False
    whole = all(float(value).is_integer() for value in column.values)
    return not whole or len(column.values) > _MOST_CLASSES_OF_NUMBERS


def _one(column: Column) -> LabelForm:
    """One label a row: values that differ in case or blanks alone are one label."""
    spellings: dict[str, Counter[str]] = {}
    given = Counter[str]()
    for value, count in column.values.items():
        given.update(dict.fromkeys(_names_in(value), count))
    for name, count in given.items():
        spelled = _plain(name)
        spellings.setdefault(_key(spelled), Counter())[spelled] += count
    names = {key: found.most_common(1)[0][0] for key, found in spellings.items()}
    counts = {names[key]: found.total() for key, found in spellings.items()}
    values = {name: names[_key(_plain(name))] for name in given}
    same = all(composed(value) == label for value, label in values.items())
    return LabelForm(problem=CLASSIFICATION, counts=counts, values={} if same else values)


def _names_in(value: str) -> list[str]:
    """The labels of a JSON list, or the one label that a cell holds, which may be in brackets."""
    return (split_cell(value, value) if value.startswith("[") else []) or [value]


def _key(name: str) -> str:
    """The name as it is compared: a capital İ in small letters has a dot of its own."""
    return name.casefold().replace("i\u0307", "i")


def _plain(value: str) -> str:
    """The value without needless blanks and what no screen shows; `1.0`, a whole number in pandas, is `1`."""
    stripped = " ".join(_UNSEEN.sub("", composed(value)).split())
    whole, _, fraction = stripped.partition(".")
    is_whole = fraction and not fraction.strip("0") and whole.lstrip("-").isdigit()
    return whole if is_whole else stripped


def _by_size(label: str) -> tuple[bool, float, str]:
    return (False, float(label), "") if label.lstrip("-").isdigit() else (True, 0.0, label)
