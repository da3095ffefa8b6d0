"""Opens a file of texts for a batch: finds its kind, the columns of the texts, and the columns that stay."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from pipeline.batch.input_parts import InputRows
from pipeline.batch.parquet_rows import ParquetRows, kept_columns
from pipeline.batch.text_rows import JsonRows, TableRows, clashing
from pipeline.core.errors import DataError
from pipeline.data.any_file import readable, require_file
from pipeline.data.file_look import look_at
from pipeline.data.reading_progress import lines_in
from pipeline.data.rows import JSON_KINDS, header_of

PREFIX = "predicted_"
"""Stands before the names of the answers where the file has a column of such a name."""
TextColumns = tuple[str, ...]
"""The column of the texts or, for pairs, the two."""


def open_input(
    path: Path,
    *,
    texts: Sequence[TextColumns],
    columns: Sequence[str] | None,
    answers: Sequence[str],
    prefix: str | None,
    whole_json: bool,
) -> tuple[InputRows, str]:
    """The file, ready to be read, and what stands before the names of the answers.

    Args:
        texts: where the texts may stand; the first of them that the file has all of.
        columns: the columns that stay; None for all.
        answers: names of the answers.
        prefix: what stands before them; None for nothing or, where a column that stays has one of these
            names, `PREFIX`.
        whole_json: whether rows of JSON stay as JSON.

    Raises:
        DataError: there is no such file, it cannot be read, it lacks one of the columns, or a column
            that stays is called as an answer.
    """
    require_file(path)
    look = look_at(path)
    with readable(path, look) as file:
        header = [*dict.fromkeys(header_of(file, look.layout))]
        lines = lines_in(file)
    chosen = _require(path, header, columns) if columns is not None else header
    found = _text_columns(path, header, texts)
    prefix = _prefix(path, chosen, answers, prefix)
    if look.ending == ".parquet":
        kept = kept_columns(path, chosen)
        return ParquetRows(path=path, kept=kept, text_columns=found, lines=lines), prefix
    if look.ending in JSON_KINDS:
        rows = JsonRows(
            path=path,
            look=look,
            names=None if whole_json and columns is None else chosen,
            chosen=columns is not None,
            whole=whole_json,
            taken=frozenset(f"{prefix}{name}" for name in answers),
            text_columns=found,
            lines=lines,
        )
        return rows, prefix
    return TableRows(path=path, look=look, names=chosen, text_columns=found, lines=lines), prefix


def _prefix(path: Path, kept: Sequence[str], answers: Sequence[str], prefix: str | None) -> str:
    if prefix is None:
        prefix = PREFIX if {*answers} & {*kept} else ""
    if clash := [name for name in kept if name in {f"{prefix}{answer}" for answer in answers}]:
        raise clashing(path.name, clash[0])
    return prefix


def _text_columns(path: Path, header: Sequence[str], texts: Sequence[TextColumns]) -> TextColumns:
    found = next((names for names in texts if {*names} <= {*header}), None)
    if found is not None:
        return found
    missing = next(name for name in texts[0] if name not in header)
    option = "--text" if missing == texts[0][0] else "--second"
    raise _missing(path, header, missing, f"name the column with {option}")


def _require(path: Path, header: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    for name in columns:
        if name not in header:
            raise _missing(path, header, name, "correct --columns")
    return columns


def _missing(path: Path, header: Sequence[str], name: str, next_step: str) -> DataError:
    near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
    return DataError(
        f"{path.name} has no column {name!r}",
        expected=f"one of its columns: {', '.join(header) or '(it has none)'}",
        next_step=f"{next_step}; did you mean {near[0]!r}?" if near else next_step,
    )
