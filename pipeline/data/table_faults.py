"""Says why a line of a table cannot be read, from the line itself: what is wrong, and what to do about it."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.layout import malformed

_NOT_CLOSED = "unexpected end of data"


def uneven(path: Path, line: int, row: Sequence[str], header: Sequence[str]) -> DataError:
    """The error for a row that has not as many fields as the header."""
    return DataError(
        f"{path.name}, line {line}: {len(row)} field{'s' * (len(row) != 1)} where the header has {len(header)}",
        expected="as many fields in each line as the header has",
        next_step=_of_header(row, header) or _way_out(line, row, len(header)),
    )


def badly_quoted(path: Path, first: int, line: int, error: str, text: str) -> DataError:
    r"""The error for a row whose quotes no writer of CSV makes.

    Args:
        first: the line in which the row begins.
        line: the line at which it cannot be read on.
        error: what Python's reader says.
        text: the last line that was read; none of it is told.
    """
    if _NOT_CLOSED in error or line > first:
        return DataError(
            f"{path.name}, line {first}: a quote that is opened there is not closed ({error} in line {line})",
            expected="a quote at both ends of a field, or at none",
            next_step=f"close the quote in line {first}, or take it away; it also breaks the lines after it",
        )
    if '\\"' in text:
        return DataError(
            f'{path.name}, line {line}: a quote inside a field is written as \\" ({error})',
            expected='a quote inside a field written twice, as "" (RFC 4180)',
            next_step="write the file again with doubled quotes (in pandas: to_csv without `escapechar`), or as"
            " JSON lines",
        )
    if '" ' in text:
        return malformed(
            path,
            line,
            f"more than the separator after a closing quote ({error})",
            "the separator right after a closing quote, and a quote inside a field written twice",
        )
    return malformed(path, line, error)


def _of_header(row: Sequence[str], header: Sequence[str]) -> str | None:
    """The next step where the header, not the row, has a field too few or too many; None elsewhere."""
    if len(row) == len(header) + 1 and row[0].strip() == "1":
        return (
            "give the first column a name: R leaves out that of the row names (write.csv does not, nor does"
            " write.table with col.names=NA)"
        )
    if len(row) == len(header) - 1 and not header[-1].strip():
        return "take the separator at the end of the first line away"
    return None


def _way_out(line: int, row: Sequence[str], width: int) -> str:
    extra = row[width:]
    if any("\r" in field for field in row):
        return "save the file again with one kind of line ends: some of its lines end in CR alone"
    if width == 1:
        return (
            "take the lines above the names of the columns away, if the first line is a title or a comment;"
            " if another sign stands between the columns, write it as `separator` of the source; a text that"
            " holds the separator must be in double quotes"
        )
    if extra and not any(map(str.strip, extra)):
        return f"take the separators at the end of line {line} away, or give the header as many"
    if any(field.endswith("\\") for field in row[:-1]):
        return (
            "write the file again with double quotes around fields, rather than with a backslash before a"
            " separator (in pandas: to_csv without `quoting` and `escapechar`)"
        )
    if any(field.lstrip() != field and field.lstrip().startswith('"') for field in row):
        return (
            "take the blank before each quote away: after a blank a quote is a letter like others"
        )
    if any(field.lstrip().startswith("'") for field in row):
        return "put the texts in double quotes: single ones do not keep a separator inside together"
    if extra:
        return (
            f"correct line {line}: put a text that holds the separator, or a quote, in double quotes; an open"
            " quote also breaks the lines after it"
        )
    return (
        f"correct line {line}: a field is missing, or a line break stands in a text outside of quotes;"
        " an open quote also breaks the lines after it"
    )
