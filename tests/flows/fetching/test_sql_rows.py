"""The rows of one SELECT become a Parquet file of text, and nothing is written. Real SQLite and PostgreSQL."""

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from flows.fetching.high_water import Mark, mark_in
from flows.fetching.sql_rows import Selection, write_rows
from pipeline.core.errors import DataError
from tests.support.postgresql import PASSWORD, find_postgresql, running_postgresql

SQLITE = "sqlite:///crm.db"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute("create table tickets (id integer, body text, done, day text, raw blob)")
        rows = [(n, f"text {n}: é", n % 2, "2026-12-01", b"\xff") for n in range(10_000)]
        database.executemany("insert into tickets values (?, ?, ?, ?, ?)", rows)
    database.close()
    return tmp_path


def select(
    root: Path, query: str, *, url: str = SQLITE, most: int = 10**9, **more: Any
) -> list[dict[str, object]]:
    wanted = Selection(
        url=url,
        shown=url.rpartition("@")[2],
        query=query,
        of="source crm",
        most=most,
        hide=lambda said: said.replace("s3cret", "${PASSWORD}"),
        **more,
    )
    count = write_rows(wanted, root / "rows.parquet", root=root)
    rows: list[dict[str, object]] = pq.read_table(root / "rows.parquet").to_pylist()
    assert count == len(rows)
    return rows


def test_every_row_comes_as_text(root: Path) -> None:
    rows = select(root, "select id, body, null as queue, 1.5 as score from tickets order by id")
    assert len(rows) == 10_000
    assert rows[7] == {"id": "7", "body": "text 7: é", "queue": None, "score": "1.5"}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT body FROM tickets WHERE body LIKE '%5: %' AND day > '2026-01-01 10:30' LIMIT 3 ;",
        "-- newest first\n/* of all */ select body from tickets order by id desc limit 3",
        "with some as (select body from tickets limit 3) select * from some",
        "values ('a'), ('b'), ('c')",
    ],
)
def test_a_query_that_reads_is_taken_as_it_is_written(root: Path, query: str) -> None:
    assert len(select(root, query)) == 3


def test_equal_rows_give_equal_bytes(root: Path) -> None:
    select(root, "select body from tickets order by id")
    first = (root / "rows.parquet").read_bytes()
    select(root, "select body from tickets order by id")
    assert (root / "rows.parquet").read_bytes() == first


@pytest.mark.parametrize(
    "query",
    [
        "select id, body from tickets",
        "select id, body from tickets where body like '%:%' order by id desc;",
        "with some as (select id, body from tickets) select * from some -- all of them",
    ],
)
def test_from_a_mark_on_rows_of_its_value_and_of_greater_ones_come(root: Path, query: str) -> None:
    mark = Mark(column="id", value=9_998)
    rows = select(root, query, since="id", mark=mark)
    assert sorted(str(row["id"]) for row in rows) == ["9998", "9999"]
    assert mark_in(root / "rows.parquet", "id") == Mark(column="id", value=9_999)


def test_the_greatest_number_is_noted_and_not_the_greatest_text(root: Path) -> None:
    select(root, "select id, body from tickets where id in (9, 10)", since="id")
    assert mark_in(root / "rows.parquet", "id") == Mark(column="id", value=10)
    assert mark_in(root / "rows.parquet", "body") is None
    select(root, "select id, body from tickets")
    assert mark_in(root / "rows.parquet", "id") is None


def test_no_row_from_a_mark_on_is_no_fault(root: Path) -> None:
    mark = Mark(column="id", value=10_000)
    assert select(root, "select id, body from tickets", since="id", mark=mark) == []


def test_a_mark_and_a_name_with_odd_signs_are_values_and_a_name_alone(root: Path) -> None:
    query = """select id, day as "a ""b"" :c" from tickets"""
    for value in ("2026-12-01", "' or 1=1 --", ":x"):
        mark = Mark(column='a "b" :c', value=value)
        rows = select(root, query, since='a "b" :c', mark=mark)
        assert len(rows) == (10_000 if value <= "2026-12-01" else 0)


SINCE = {
    "no such column": ("select body from tickets", "gives no column 'id', its `since_column`"),
    "bytes": ("select cast('x' as blob) as id", "holds values of the kind bytes"),
    "two kinds": ("select 1 as id union all select 'x'", "holds values of the kind int, str"),
    "no value": ("select null as id from tickets", "is null in every row"),
}


@pytest.mark.parametrize("case", SINCE)
def test_a_column_that_has_no_greatest_value_is_refused(root: Path, case: str) -> None:
    query, message = SINCE[case]
    with pytest.raises(DataError, match="source crm: ") as error:
        select(root, query, since="id")
    assert message in error.value.got


BAD = {
    "insert": ("insert into tickets values (1, 'x', 0, '', '')", "begins with 'insert'"),
    "delete": ("delete from tickets", "begins with 'delete'"),
    "drop": ("DROP TABLE tickets", "begins with 'drop'"),
    "pragma": ("pragma query_only = off", "begins with 'pragma'"),
    "attach": ("attach 'other.db' as other", "begins with 'attach'"),
    "two": ("select 1; delete from tickets", "several statements"),
    "with": ("with a as (select 1) delete from tickets", "readonly database"),
    "empty": (" ; ", "empty query"),
    "no rows": ("select body from tickets where id < 0", "gives no row"),
    "no table": ("select body from orders", "no such table: orders"),
    "no column": ("select title from tickets", "no such column: title"),
    "twice": ("select id, body as id from tickets", "2 columns of the name 'id'"),
    "bytes": ("select raw from tickets", "'raw' holds bytes that are not UTF-8"),
    "no SQL": ("select from where", "syntax error"),
    "large": ("select hex(randomblob(500)) as body from tickets", "more than 1.0 MB"),
    "wrong encoding": ("select cast(raw as text) as body from tickets", "UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_bad_query_gives_one_message_and_changes_nothing(root: Path, case: str) -> None:
    before = (root / "crm.db").read_bytes()
    query, message = BAD[case]
    with pytest.raises(DataError) as error:
        select(root, query, most=1_000_000)
    assert message in error.value.got
    assert error.value.got.startswith("source crm: ")
    assert (root / "crm.db").read_bytes() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///other.db", "unable to open database file"),
        ("sqlite:///rows.csv", "file is not a database"),
        ("postgresql://me:s3cret@127.0.0.1:9/crm", "refused"),
        ("postgresql://me:s3cret@127.0.0.1:x/crm", "no address of a database"),
        ("oracle://me:s3cret@127.0.0.1/crm", "no driver for oracle"),
        ("nosuch://me:s3cret@127.0.0.1/crm", "no driver for nosuch"),
        ("", "no address of a database"),
    ],
)
def test_a_database_that_is_away_is_told_without_its_password_and_not_made(
    root: Path, url: str, words: str
) -> None:
    (root / "rows.csv").write_text("text\n" * 1000)
    with pytest.raises(DataError, match=words) as error:
        select(root, "select * from tickets", url=url)
    assert "s3cret" not in str(error.value)
    assert not (root / "other.db").exists()


@pytest.mark.skipif(find_postgresql() is None, reason="there is no PostgreSQL here")
def test_postgresql_gives_its_rows_and_refuses_to_write(tmp_path: Path) -> None:
    programs = find_postgresql()
    assert programs is not None
    with running_postgresql(programs) as address:
        url = f"{address}/postgres"
        database = create_engine(url)
        with database.begin() as connection:
            for statement in (
                "create table tickets (body text, score numeric, done bool, day date)",
                "create sequence counter",
                "insert into tickets values ('100% é', 1.50, true, '2026-12-01')",
            ):
                connection.execute(text(statement))
        query = "select *, day::text as said from tickets where body like '100%'"
        expected = {"body": "100% é", "score": "1.50", "done": "true", "day": "2026-12-01"}
        assert select(tmp_path, query, url=url) == [expected | {"said": "2026-12-01"}]
        _require_marks_of_postgresql(tmp_path, url)
        short = url.replace("postgresql://", "postgres://")
        assert len(select(tmp_path, "(select 1 as one)", url=short)) == 1
        for bad in (
            "with gone as (delete from tickets returning *) select * from gone",
            "select nextval('counter')",
            "select * into other from tickets",
        ):
            with pytest.raises(DataError, match=r"read-only transaction|CURSOR|not allowed"):
                select(tmp_path, bad, url=url)
        with pytest.raises(DataError, match="password authentication failed") as error:
            select(tmp_path, "select 1", url=url.replace(PASSWORD, "s3cret"))
        assert "s3cret" not in str(error.value)
        with database.connect() as connection:
            assert connection.execute(text("select count(*) from tickets")).scalar() == 1
        database.dispose()


def _require_marks_of_postgresql(root: Path, url: str) -> None:
    """Each kind of value is noted, and asked for, as the database has it."""
    query = """select * from (values
        (9, 1.50, date '2026-11-30', timestamp '2026-11-30 10:00:00.5', timestamptz '2026-11-30 10:00+09', 'a'),
        (10, 1.75, date '2026-12-01', timestamp '2026-12-01 09:00', timestamptz '2026-11-30 02:00+00', 'b'),
        (null, null, null, null, null, null)) as t (i, n, d, t, z, s)"""
    greatest = {
        "i": 10,
        "n": Decimal("1.75"),
        "d": date(2026, 12, 1),
        "t": datetime(2026, 12, 1, 9),
        "z": datetime(2026, 11, 30, 2, tzinfo=UTC),
        "s": "b",
    }
    for column, value in greatest.items():
        assert len(select(root, query, url=url, since=column)) == 3
        mark = mark_in(root / "rows.parquet", column)
        assert mark == Mark(column=column, value=value)
        rows = select(root, query, url=url, since=column, mark=mark)
        assert [row["i"] for row in rows] == ["10"], column
