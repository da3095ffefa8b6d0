"""Says which shape a JSON file has that is neither one object a line nor one array of objects, and how to turn it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.data.columns import is_named_like_texts, names_columns
from pipeline.data.layout import LONGEST_ROW, malformed
from pipeline.data.packed import packing_of, unpacked

_LINES = "one JSON object a line, or one array of objects"
_FEWEST_ENTRIES = 5


def of_one_object(path: Path, value: Any) -> DataError | None:
    """The error for a file that is one object of rows or of columns; None where it may be a row itself."""
    if not isinstance(value, dict):
        return None
    if {"columns", "data"} <= {*value} and isinstance(value["data"], list):
        return _columns_of_pandas(path, "one JSON object, as pandas writes it with orient='split'")
    if not any(is_named_like_texts(key) and isinstance(value[key], str) for key in value):
        lists = {key: rows for key, rows in value.items() if _holds_objects(rows)}
        if key := max(lists, key=lambda key: len(lists[key]), default=None):
            each = ".row" if all(isinstance(row.get("row"), dict) for row in lists[key]) else ""
            alike = [other for other in lists if {*lists[other][0]} == {*lists[key][0]}]
            if len(alike) > 1:
                what = f"one JSON object, whose rows are in lists under the keys {', '.join(alike)}"
                return _to_turn(path, what, ", ".join(f"{_path_of(other)}[]" for other in alike))
            what = f"one JSON object, whose rows are the list under the key {key!r}"
            return _to_turn(path, what, f"{_path_of(key)}[]{each}")
    return _of_entries(path, value)


def _path_of(key: str) -> str:
    """How jq names a key."""
    return f".{key}" if key.isidentifier() and key.isascii() else f".[{json.dumps(key)}]"


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _of_entries(path: Path, value: Mapping[str, Any]) -> DataError | None:
    """The error for an object whose keys are columns, ids, labels or texts."""
    cells = [*value.values()]
    kinds = {type(cell) for cell in cells}
    sizes = {len(cell) for cell in cells if isinstance(cell, dict | list)}
    if len(value) < 2 or max(sizes, default=0) < 2:
        few = len(value) < _FEWEST_ENTRIES or names_columns([*value])
        if few or not kinds <= {str, int, float, bool}:
            return None
        what = "one JSON object, whose keys are the texts, as it seems"
        return _to_turn(path, what, "to_entries[] | {text: .key, label: .value}")
    if kinds == {dict} and names_columns([*cells[0]]):
        return _to_turn(path, "one JSON object, in which each key stands for a row", ".[]")
    if kinds == {list} and not names_columns([*value]):
        if any(not isinstance(part, str) for cell in cells for part in cell):
            return None
        what = "one JSON object, whose keys are the labels, as it seems"
        return _to_turn(path, what, "to_entries[] | .key as $k | .value[] | {text: ., label: $k}")
    if kinds in ({dict}, {list}) and len(sizes) == 1:
        return _columns_of_pandas(path, "one JSON object of columns, as pandas writes it")
    return None


def of_no_object(path: Path, number: int, value: Any, *, in_array: bool) -> DataError:
    """The error for a JSON value that stands where an object should."""
    place = f"value {number} of the array" if in_array else f"line {number}"
    where, each = (f"{path.name}, {place}", ".[] | " if in_array else "")
    if isinstance(value, str) and value.lstrip().startswith(("{", "[{")):
        return _to_turn(
            path, "JSON inside a string, as if it had been written twice", f"{each}fromjson"
        )
    if isinstance(value, str):
        what = f"{where}: a string where an object should stand, as a text alone"
        return _to_turn(path, what, f"{each}{{text: .}}")
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        what = f"{where}: a list of two where an object should stand"
        label = ", label: .[1]" if not isinstance(value[1], list | dict) else ""
        return _to_turn(path, what, f"{each}{{text: .[0]{label}}}")
    if _holds_objects(value) and not in_array:
        return _to_turn(path, f"{where}: an array, and not the only one", ".[]")
    kind = {list: "a list", type(None): "null"}.get(type(value), "a number")
    return DataError(
        f"{where}: not a JSON object, but {kind}", expected=_LINES, next_step=f"correct {place}"
    )


def of_no_lines(
    path: Path, number: int, error: Exception, line: str, *, is_last: bool
) -> DataError:
    """The error for a line that is no JSON.

    Args:
        is_last: whether nothing comes after it.
    """
    said, start = reason(error), line.lstrip()
    if "Extra data" in said and isinstance(error, json.JSONDecodeError):
        behind = line[error.pos :].lstrip()
        if behind.startswith(("{", "[")):
            return _to_turn(
                path, f"{path.name}, line {number}: several JSON values in one line", "."
            )
        if behind.rstrip() == ",":
            return DataError(
                f"{path.name}, line {number}: not JSON (a comma after the object)",
                expected=_LINES,
                next_step="take the commas at the ends of the lines away, or put all of it in [ and ]",
            )
    if start.startswith(("{'", "[{'")):
        return of_python(path, number)
    if number == 1 and start.startswith("{") and not is_last and _opens_only(line):
        return _of_many_lines(path, said)
    if is_last and number > 1 and is_cut(error, line):
        return cut_off(path, number)
    return malformed(path, number, f"not JSON ({said})", _LINES)


def of_python(path: Path, number: int) -> DataError:
    """The error for objects in the form in which Python prints them."""
    return DataError(
        f"{path.name}, line {number}: not JSON (single quotes, as Python prints its own objects)",
        expected=_LINES,
        next_step="write each object with `json.dumps(row, ensure_ascii=False)`",
    )


def cut_off(path: Path, line: int) -> DataError:
    """The error for a file that ends inside a value."""
    return DataError(
        f"{path.name}, line {line}: not JSON (the file ends in the middle of a value)",
        expected="a whole file",
        next_step="download or copy the file again; or take what is left of its last object away",
    )


def is_cut(error: Exception, text: str) -> bool:
    """Whether the text may be no JSON only because it ends too early."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return "Unterminated" in error.msg or error.pos >= len(text.rstrip())


def reason(error: Exception) -> str:
    """Why the text is no JSON, in a few words."""
    if not isinstance(error, ValueError):
        return "brackets in brackets without end"
    if "integer string conversion" in str(error):
        return "a number of thousands of digits"
    return str(error)


def _of_many_lines(path: Path, said: str) -> DataError:
    """The error for objects that span lines: what the first of them is, where it is the only one."""
    found = None
    with unpacked(path) as stream:
        data = stream.read(LONGEST_ROW + 1)
    if len(data) <= LONGEST_ROW:
        with suppress(ValueError, RecursionError):
            found = of_one_object(path, json.loads(data))
    what = f"{path.name}, line 1: not JSON ({said}): an object that spans lines"
    return found or _to_turn(path, what, ".")


def _opens_only(line: str) -> bool:
    return line.strip() == "{" or line.rstrip().endswith((",", "{", "["))


def _to_turn(path: Path, what: str, program: str) -> DataError:
    """The error with a command that makes JSON lines of the file."""
    named = what if what.startswith(path.name) else f"{path.name} is {what}"
    lines = f"{path.name.split('.')[0]}.jsonl"
    lines = f"lines-{lines}" if lines == path.name else lines
    packing = packing_of(path)
    turned = f"jq -c '{program}' {path.name} > {lines}"
    if packing is not None:
        turned = f"{packing} -dc {path.name} | jq -c '{program}' > {lines}"
    return DataError(named, expected=_LINES, next_step=f"{turned}, and use that file")


def _columns_of_pandas(path: Path, what: str) -> DataError:
    return DataError(
        f"{path.name} is {what}",
        expected="one JSON object a line",
        next_step='write it with `to_json(path, orient="records", lines=True, force_ascii=False)`',
    )
