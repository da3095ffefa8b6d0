"""Picks the wanted columns of a file, and turns its cells into text."""

import difflib
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import DataError


@dataclass(frozen=True, slots=True)
class WantedColumns:
    """The columns to read: all of `required`, and those of `optional` that the file has.

    Attributes:
        lists: columns in which a cell of JSON or Parquet may be a list.
        ids: columns of ids: a table with a gap makes 17.0 of the number 17, which is no other id.
    """

    required: Sequence[str]
    optional: Sequence[str] = ()
    lists: Collection[str] = ()
    ids: Collection[str] = ()

    def found(self, where: str, header: Sequence[str]) -> dict[str, str]:
        """Wanted column → its name in a file with this header.

        Names are compared in Unicode's composed form: on a screen the others look the same.

        Raises:
            DataError: a column is missing, or there twice.
        """
        own = {name: name for name in header} | {composed(name): name for name in header}
        for name in self.required:
            if composed(name) not in own:
                raise _missing(name, where, header)
        wanted = dict.fromkeys([*self.required, *self.optional])
        found = {name: own[composed(name)] for name in wanted if composed(name) in own}
        counts = Counter(map(composed, header))
        for name in found:
            if name.strip() and counts[composed(name)] > 1:
                raise DataError(
                    f"{where}: the column {name!r} is there twice",
                    expected="columns of different names",
                    next_step="rename one of them in the file, or take it out",
                )
        return found

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


def _missing(name: str, where: str, header: Sequence[str]) -> DataError:
    near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else "name another column in the product file"
    return DataError(
        f"{where} has no column {name!r}",
        expected=f"one of its columns: {', '.join(header) or '(the file is empty)'}",
        next_step=hint,
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
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def unique_keys(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """A JSON object of these pairs; `ValueError` where a key is there twice, for one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {counts.most_common(1)[0][0]!r} is there twice")
    return found
