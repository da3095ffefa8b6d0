"""Prefect's database is made beforehand, and one that is there stays."""

from pathlib import Path

from tests.support.prefect_database import database_of, prepare, put_database


def test_the_database_is_made_once(prefect_database: Path, tmp_path: Path) -> None:
    made = prefect_database.read_bytes()
    assert made.startswith(b"SQLite format 3")
    put_database(prefect_database, tmp_path)
    assert prepare(tmp_path) == "False\n"
    assert database_of(tmp_path).read_bytes() == made
