"""Picks the wanted columns of a file, and turns its cells into text."""

import difflib
import json
import math
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import DataError

_OVERLOOKED = f"{string.whitespace}\ufeff\u200b\"'"
"""Characters around a name of a column that a spreadsheet hardly shows."""


@dataclass(frozen=True, slots=True)
class WantedColumns:
    """The columns to read: all of `required`, and those of `optional` that the file has.

    Attributes:
        lists: columns in which a cell of JSON or Parquet may be a list.
        ids: columns of ids: a table with a gap makes 17.0 of the number 17, which is no other id.
        in_sheet: whether the names are those of a sheet that people fill in, and not chosen in the product
            file: one that differs in case, in blanks around it or in the width of its letters is taken too.
    """

    required: Sequence[str]
    optional: Sequence[str] = ()
    lists: Collection[str] = ()
    ids: Collection[str] = ()
    in_sheet: bool = False

    def found(self, where: str, header: Sequence[str]) -> dict[str, str]:
        """Wanted column → its name in a file with this header.

        Names are compared in Unicode's composed form: on a screen the others look the same.

        Raises:
            DataError: a column is missing, or there twice.
        """
        found = {}
        for name in dict.fromkeys([*self.required, *self.optional]):
            fitting = self._fitting(name, header)
            if name.strip() and len(fitting) > 1:
                raise _repeated(name, where, fitting)
            if fitting:
                found[name] = fitting[0]
            elif name in self.required:
                raise self._missing(name, where, header)
        return found

    def are_in(self, header: Sequence[str]) -> bool:
        """Whether a file with this header has all required columns."""
        return all(self._fitting(name, header) for name in self.required)

    def _fitting(self, name: str, header: Sequence[str]) -> list[str]:
        """The columns that the name may mean: those that are called so, else those of a sheet that nearly are."""
        exact = [own for own in header if composed(own) == composed(name)]
        if exact or not self.in_sheet:
            return exact
        return [own for own in header if in_one_form(own) == in_one_form(name)]

    def _missing(self, name: str, where: str, header: Sequence[str]) -> DataError:
        near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
        meant = f"did you mean `{near[0]}`?" if near else ""
        shown = ", ".join(header) or "(the file is empty)"
        if not self.in_sheet:
            return DataError(
                f"{where} has no column {name!r}",
                expected=f"one of its columns: {shown}",
                next_step=meant or "name another column in the product file",
            )
        return DataError(
            f"{where} has no column {name!r}; its columns: {shown}",
            expected=f"{', '.join(self.required)}, in any order, beside any others",
            next_step=f"{meant} Rename the column in that sheet".strip(),
        )

    def cell(self, name: str, value: Any, where: str) -> str:
        """A cell of JSON or Parquet as text; `DataError` for a list or an object as a text."""
        if isinstance(value, list | dict) and name not in self.lists:
            raise DataError(
                f"{where}: the column {name!r} holds {'a list' if isinstance(value, list) else 'an object'}",
                expected="text, a number, or true or false",
                next_step=f"write the text itself into {name!r}, or name another column of the source",
            )
        if isinstance(value, bytes):
            return _decoded(value, name, where)
        if name in self.ids and isinstance(value, float) and value.is_integer():
            return str(int(value))
        return _as_text(value)


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def in_one_form(name: str) -> str:
    """A name without what people overlook: case, blanks and marks around it, the width of its letters."""
    return unicodedata.normalize("NFKC", name).strip(_OVERLOOKED).casefold()


def _repeated(name: str, where: str, fitting: Sequence[str]) -> DataError:
    own = " and ".join(map(repr, dict.fromkeys(fitting)))
    is_one = {*map(composed, fitting)} == {composed(name)}
    return DataError(
        f"{where}: the column {name!r} is there twice" + ("" if is_one else f", as {own}"),
        expected="columns of different names",
        next_step="rename one of them in the file, or take it out",
    )


def _decoded(value: bytes, name: str, where: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: the column {name!r} holds bytes that are not UTF-8",
            expected="text, or bytes that are text in UTF-8",
            next_step=f"write {name!r} as strings in the program that makes the file",
        ) from error


def _as_text(value: Any) -> str:
    """A cell as text: a string as it is, null and NaN as "", lists and the like as JSON writes them."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, default=_within, ensure_ascii=False)
    return str(value)


def _within(value: Any) -> str:
    """A value inside a list or an object as text: bytes as UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def unique_keys(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """A JSON object of these pairs; `ValueError` where a key is there twice, for one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {counts.most_common(1)[0][0]!r} is there twice")
    return found
