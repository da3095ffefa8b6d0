"""Reads the columns and rows of a file, whatever its ending, its encoding and its separator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.core.errors import DataError
from pipeline.data.file_look import Look, look_at
from pipeline.data.layout import FileRow, ending_of
from pipeline.data.rows import header_of, read_rows


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file as it was read.

    Attributes:
        rows: every column of every row, each with its line.
    """

    file: Path
    look: Look
    names: list[str]
    rows: Sequence[FileRow]


def require_file(path: Path) -> None:
    """Raises DataError where there is neither a file nor a folder of Parquet parts."""
    if not path.is_file() and not path.is_dir():
        raise DataError(
            f"{path} is a device, a pipe or a socket"
            if path.exists()
            else f"there is no file {path}",
            expected="a CSV, TSV, JSON, Parquet or text file",
            next_step="correct the path",
        )


def read_table(path: Path) -> Table:
    """Reads a whole file, whatever its encoding and separator are.

    Raises:
        DataError: there is no such file, it cannot be read, or it has no rows.
    """
    require_file(path)
    look = look_at(path)
    with readable(path, look) as file:
        names = header_of(file, look.layout)
        found = read_rows(file, columns=[], optional=names, lists=names, layout=look.layout)
        rows = [*found]
    if not rows:
        raise no_rows(path)
    return Table(file=path, look=look, names=names, rows=rows)


def no_rows(path: Path) -> DataError:
    """The error for a file with a header alone."""
    return DataError(
        f"{path.name} has no rows",
        expected="a header and rows of texts",
        next_step="name another file",
    )


@contextmanager
def readable(path: Path, look: Look) -> Iterator[Path]:
    """A path by whose ending the file is read as what it is: its own, or that of a link to it.

    Errors name the file as it is called.
    """
    if ending_of(path) == look.ending:
        yield path
        return
    with TemporaryDirectory(prefix="modelyard-look-") as folder:
        link = Path(folder) / f"{path.stem}{look.ending}"
        link.symlink_to(path.resolve())
        try:
            yield link
        except DataError as error:
            said = (error.got, error.expected, error.next_step)
            got, expected, next_step = (each.replace(link.name, path.name) for each in said)
            raise DataError(got, expected=expected, next_step=next_step) from error
