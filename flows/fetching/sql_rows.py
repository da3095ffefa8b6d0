"""Writes the rows of one SELECT as a Parquet file, batch by batch; the database is only read.

Of a source with `since_column`, the query stands as a subquery in one that asks for the rows from a mark on.
"""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from flows.fetching.high_water import KEY, Greatest, Mark
from flows.fetching.megabytes import MEGABYTE
from pipeline.core.errors import DataError
from pipeline.core.progress import INTERVAL_SECONDS, say

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.sql.elements import TextClause

_BATCH = 8192
_CONNECT_SECONDS = 10
_BEGINNINGS = ("select", "with", "values")
_REMARKS = re.compile(r"^(?:\s+|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
"""Statements by which a database refuses to write; SQLite's file is opened so."""
_TIME_OUTS = {
    "psycopg2": "connect_timeout",
    "psycopg": "connect_timeout",
    "pymysql": "connect_timeout",
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Rows that are wanted from a database.

    Attributes:
        url: the database's address, with its password; it is in no message.
        shown: the address as it may be shown.
        of: the source, for messages.
        most: bytes that the Parquet file may have.
        since: column whose greatest value is noted in the file; None for a source without one.
        mark: only rows with this value of the column, or a greater one, are wanted; None for all.
        hide: puts `${NAME}` in the place of secrets in what a driver says.
    """

    url: str = field(repr=False)
    shown: str
    query: str
    of: str
    most: int
    since: str | None = None
    mark: Mark | None = None
    hide: Callable[[str], str] = str


def write_rows(wanted: Selection, file: Path, *, root: Path) -> int:
    """Writes the rows to a new Parquet file, whose cells are text or null; returns how many they are.

    Args:
        root: where a relative path of a SQLite file begins.

    Raises:
        DataError: the query is not one that reads, or gives nothing (from a mark on, it may), or the
            database refuses it.
    """
    from sqlalchemy.exc import SQLAlchemyError

    _require_one_select(wanted)
    engine = _engine(wanted, root)
    try:
        with engine.connect() as connection, _undone(connection):
            if refusal := _READ_ONLY.get(engine.dialect.name):
                connection.exec_driver_sql(refusal)
            options = {"stream_results": True, "max_row_buffer": _BATCH}
            query = _statement(wanted, engine)
            result = connection.execution_options(**options).execute(query)
            names = [*result.keys()]
            _require_names(names, wanted)
            return _write(result.partitions(_BATCH), names, wanted, file)
    except SQLAlchemyError as error:
        raise _refused(wanted, error) from None
    except sqlite3.Error as error:  # while the rows come, SQLAlchemy hands some of them through
        raise _refused(wanted, error) from None
    finally:
        engine.dispose()


def _statement(wanted: Selection, engine: "Engine") -> "TextClause":
    """The query; from a mark on, with those of equal value once more, for they may have come since."""
    from sqlalchemy import text

    query = wanted.query.replace(":", r"\:")
    if wanted.mark is None:
        return text(query)
    bare = query.strip().removesuffix(";")
    column = engine.dialect.identifier_preparer.quote_identifier(wanted.mark.column)
    column = column.replace(":", r"\:")
    statement = text(f"SELECT * FROM (\n{bare}\n) fetched WHERE {column} >= :since")  # noqa: S608 - a quoted name
    return statement.bindparams(since=wanted.mark.value)


@contextmanager
def _undone(connection: "Connection") -> Iterator[None]:
    """Takes back what was done, whatever it was."""
    try:
        yield
    finally:
        connection.rollback()


def _engine(wanted: Selection, root: Path) -> "Engine":
    """The connections to a database, which is not asked yet."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        url = make_url(wanted.url.replace("postgres://", "postgresql://", 1))
        if url.get_backend_name() == "sqlite":
            return create_engine(
                "sqlite://", creator=lambda: _sqlite(url, root), poolclass=NullPool
            )
        option = _TIME_OUTS.get(url.get_driver_name())
        settings = {option: _CONNECT_SECONDS} if option else {}
        return create_engine(url, connect_args=settings, poolclass=NullPool, hide_parameters=True)
    except (ImportError, NoSuchModuleError) as error:
        kind = wanted.url.partition("://")[0]
        raise DataError(
            f"{wanted.of}: no driver for {kind} is installed",
            expected="SQLite, or a database whose driver is installed",
            next_step="install the driver, for PostgreSQL .venv/bin/pip install '.[postgresql]'",
        ) from error
    except (ArgumentError, ValueError):
        raise DataError(
            f"{wanted.of}: {wanted.shown} is no address of a database",
            expected="an address such as postgresql://${USER}:${PASSWORD}@host/name",
            next_step="correct `url` in the product file, or the variable that it names",
        ) from None


def _sqlite(url: "URL", root: Path) -> sqlite3.Connection:
    """Opens a SQLite file so that it can only be read; it is not made where there is none."""
    place = quote(str(root / (url.database or "")))
    return sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=_CONNECT_SECONDS)


def _require_one_select(wanted: Selection) -> None:
    """Raises DataError for what is not one statement that reads.

    The database itself refuses to write, where it can be told so; this is for the others, and for a
    statement that would end the transaction in which it is told so.
    """
    bare = _REMARKS.sub("", wanted.query).strip().removesuffix(";").strip()
    if ";" in bare:
        raise _not_a_select(wanted, "several statements, or a semicolon in one")
    first = bare.partition("(")[0].split()
    word = first[0].lower() if first else "("
    if not bare or (word not in _BEGINNINGS and not bare.startswith("(")):
        raise _not_a_select(
            wanted, f"a query that begins with {word!r}" if bare else "an empty query"
        )


def _not_a_select(wanted: Selection, got: str) -> DataError:
    return DataError(
        f"{wanted.of}: {got}",
        expected="one SELECT, for a source only reads",
        next_step="correct `query` in the product file",
    )


def _require_names(names: Sequence[str], wanted: Selection) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(
                f"{wanted.of}: the query gives {count} columns of the name {name!r}",
                expected="columns of different names",
                next_step="name one of them otherwise in `query`, as in select a.id as other_id",
            )
    if wanted.since is not None and wanted.since not in names:
        raise DataError(
            f"{wanted.of}: the query gives no column {wanted.since!r}, its `since_column`",
            expected=f"one of its columns: {', '.join(names)}",
            next_step="let `query` select it as well, or correct `since_column`",
        )


def _write(
    batches: Iterator[Sequence[Any]], names: Sequence[str], wanted: Selection, file: Path
) -> int:
    schema, count, spoke = pa.schema([(name, pa.string()) for name in names]), 0, time.monotonic()
    greatest = None if wanted.since is None else Greatest(wanted.since, of=wanted.of)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in batches:
            columns = dict(zip(names, zip(*rows, strict=True), strict=True))
            arrays = [
                pa.array([_as_cell(value, name, wanted) for value in column], pa.string())
                for name, column in columns.items()
            ]
            if greatest is not None:
                greatest.see(columns[str(wanted.since)])
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
            _require_small(file, wanted)
            if time.monotonic() - spoke > INTERVAL_SECONDS:
                spoke = time.monotonic()
                say(f"fetch  {wanted.of}: {count:,} rows so far")
        if greatest is not None and count:
            writer.add_key_value_metadata({KEY: greatest.mark().as_note()})
    _require_small(file, wanted)
    if not count and wanted.mark is None:
        raise DataError(
            f"{wanted.of}: the query gives no row",
            expected="at least one row",
            next_step="correct `query` in the product file, or look into the database",
        )
    return count


def _as_cell(value: Any, name: str, wanted: Selection) -> str | None:
    """A value as the text that a label or a `where` is compared with: true and false in small letters."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value), name, wanted)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _decoded(value: bytes, name: str, wanted: Selection) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DataError(
            f"{wanted.of}: the column {name!r} holds bytes that are not UTF-8",
            expected="text, numbers and dates",
            next_step=f"leave {name!r} out of `query`, or let the database turn it into text",
        ) from None


def _require_small(file: Path, wanted: Selection) -> None:
    if file.stat().st_size > wanted.most:
        raise DataError(
            f"{wanted.of}: the rows have more than {wanted.most / MEGABYTE:,.1f} MB as a Parquet file",
            expected="at most that, the source's `max_mb`",
            next_step="ask for fewer rows or columns in `query`, or raise `max_mb`",
        )


def _refused(wanted: Selection, error: Exception) -> DataError:
    """The error for what a database said; its own words, without the address."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return DataError(
        f"{wanted.of}: {wanted.shown} answered: {wanted.hide(said[0])}",
        expected="a database that is there and gives the rows of `query`",
        next_step="mend what it names (address, credentials, names in `query`), then run the same command",
    )
