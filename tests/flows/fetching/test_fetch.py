"""What lies at an address comes into data/ once, whole, and as the source says it is."""

import hashlib
import multiprocessing
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.fetching import fetch as fetching
from flows.fetching.before_build import bring_sources, remote_sources
from flows.fetching.fetch import Fetched, fetch_sources
from flows.fetching.patience import Patience
from pipeline.core.errors import DataError
from pipeline.core.file_lock import try_lock, unlock
from pipeline.core.params import Params, parse_params
from pipeline.core.paths import Paths
from tests.support.file_server import Answer, FileServer, running_files
from tests.support.repository import parameter_values

CSV = b"text,label\nFine.,positive\nDull.,negative\n"
OTHER = CSV + b"Warm.,positive\n"
MEMORY = Path("/dev/shm")  # noqa: S108 - a disk of its own on Linux
PATIENCE = Patience(connect=1.0, silence=0.5, attempts=2, pause=0.0)


@pytest.fixture(scope="module")
def files() -> Iterator[FileServer]:
    with running_files() as served:
        yield served


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path


def params(*sources: dict[str, Any]) -> Params:
    values = parameter_values()
    usual = {"name": "t", "text_column": "text", "label_column": "label", "licence": "MIT"}
    values["collect"]["sources"] = [usual | source for source in sources]
    return parse_params(values)


def fetched(root: Path, *sources: dict[str, Any], **options: Any) -> list[Fetched]:
    return fetch_sources(root, params(*sources), patience=PATIENCE, **options)


def in_data(root: Path) -> list[Path]:
    return [path for path in (root / "data").rglob("*") if path.is_file()]


def test_a_file_comes_once_and_how_it_is_pinned_is_said(
    files: FileServer, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"url": files.will("/tickets.csv", Answer(CSV))}
    (come,) = fetched(root, source)
    assert come.is_new
    assert come.file.read_bytes() == CSV
    assert come.file == root / "data" / params(source).collect.sources[0].path
    sha256 = hashlib.sha256(CSV).hexdigest()
    assert f"sha256: {sha256}" in capsys.readouterr().out
    files.seen.clear()
    for pin in ({}, {"sha256": sha256}):
        (come,) = fetched(root, source | pin)
        assert not come.is_new
    assert files.seen == []
    # Nothing is left of the transfer.
    assert [path for path in (root / ".modelyard" / "fetch").rglob("*") if path.is_dir()] == []


def test_again_brings_the_newest_state_of_what_has_no_pin(files: FileServer, root: Path) -> None:
    url = files.will("/tickets.csv", Answer(CSV), Answer(OTHER))
    fetched(root, {"url": url})
    (come,) = fetched(root, {"url": url}, again=True)
    assert come.file.read_bytes() == OTHER
    pin = {"sha256": hashlib.sha256(OTHER).hexdigest()}
    files.seen.clear()
    fetched(root, {"url": url} | pin, again=True)
    assert files.seen == []


def test_a_file_that_is_not_what_the_pin_names_is_fetched_anew(
    files: FileServer, root: Path
) -> None:
    url = files.will("/tickets.csv", Answer(CSV), Answer(OTHER))
    fetched(root, {"url": url})
    (come,) = fetched(root, {"url": url, "sha256": hashlib.sha256(OTHER).hexdigest()})
    assert come.file.read_bytes() == OTHER


def test_two_sources_of_one_address_fetch_it_once(files: FileServer, root: Path) -> None:
    url = files.will("/tickets.csv", Answer(CSV))
    files.seen.clear()
    twice = ({"url": url}, {"url": url, "name": "u", "label_column": None})
    assert len(fetched(root, *twice, again=True)) == 1
    assert len(files.seen) == 1


def test_only_named_sources_are_fetched(files: FileServer, root: Path) -> None:
    one = {"url": files.will("/one.csv", Answer(CSV))}
    two = {"url": files.will("/two.csv", Answer(CSV)), "name": "u"}
    (come,) = fetched(root, one, two, names=["u"])
    assert come.source == "u"
    assert [path.name for path in in_data(root)] == ["two.csv"]


def test_a_variable_fills_address_and_headers(
    files: FileServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "a/b c\n")
    files.will("/tickets.csv", Answer(CSV))
    files.seen.clear()
    url = f"{files.address}/tickets.csv?token=${{SHOP_TOKEN}}"
    (come,) = fetched(root, {"url": url, "headers": {"Authorization": "Bearer ${SHOP_TOKEN}"}})
    path, headers = files.seen[0]
    assert path == "/tickets.csv?token=a%2Fb%20c%0A"
    assert headers["authorization"] == "Bearer a/b c"
    assert come.file.name == "tickets.csv"


def test_a_credential_does_not_cross_the_open_network_unencrypted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    for secret in (
        {"url": "http://93.184.216.34/t.csv?token=${SHOP_TOKEN}"},
        {"url": "http://93.184.216.34/t.csv", "headers": {"Authorization": "${SHOP_TOKEN}"}},
    ):
        with pytest.raises(DataError, match="would get a credential unencrypted") as error:
            fetched(root, secret)
        assert "s3cret" not in str(error.value)


def test_a_killed_fetch_goes_on_where_it_ended(
    files: FileServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, half = CSV + b"Fine.,positive\n" * 100_000, 1_000_000
    mark = {"ETag": '"one"'}
    begun = Answer(body, headers=mark, sent=half, stall=60.0)
    url = files.will("/tickets.csv", begun, Answer(body, headers=mark))
    source = {"url": url, "sha256": hashlib.sha256(body).hexdigest()}
    child = multiprocessing.get_context("spawn").Process(target=fetched, args=(root, source))
    child.start()
    fetch_folder = root / ".modelyard" / "fetch"
    while sum(part.stat().st_size for part in fetch_folder.rglob("*.csv")) < half:
        assert child.is_alive()
        time.sleep(0.02)
    child.kill()
    child.join()
    assert in_data(root) == []
    files.seen.clear()
    (come,) = fetched(root, source)
    assert files.seen[0][1]["range"] == f"bytes={half}-"
    assert come.file.read_bytes() == body


def test_rows_of_a_database_come_as_a_parquet_file(root: Path) -> None:
    with sqlite3.connect(root / "crm.db") as database:
        database.execute("create table tickets (body text, queue text)")
        database.execute("insert into tickets values ('Fine.', 'positive')")
    database.close()
    query = "select body as text, queue as label from tickets"
    (come,) = fetched(root, {"url": "sqlite:///crm.db", "query": query})
    assert pq.read_table(come.file).to_pylist() == [{"text": "Fine.", "label": "positive"}]


def test_a_wrong_column_in_the_product_file_costs_no_second_download(
    files: FileServer, root: Path
) -> None:
    url = files.will("/tickets.csv", Answer(CSV, headers={"ETag": '"one"'}))
    with pytest.raises(DataError, match="has no column 'body'"):
        fetched(root, {"url": url, "text_column": "body"})
    assert in_data(root) == []
    files.seen.clear()
    (come,) = fetched(root, {"url": url})
    assert files.seen[0][1]["if-none-match"] == '"one"'
    assert come.file.read_bytes() == CSV


def test_data_may_be_a_link_to_another_disk(files: FileServer, root: Path) -> None:
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == root.stat().st_dev:
        pytest.skip("there is no second disk here")
    with tempfile.TemporaryDirectory(dir=MEMORY) as other:
        (root / "data").rmdir()
        (root / "data").symlink_to(other)
        (come,) = fetched(root, {"url": files.will("/tickets.csv", Answer(CSV))})
        assert come.file.read_bytes() == CSV
        assert [path.name for path in come.file.parent.iterdir()] == ["tickets.csv"]


def test_a_file_is_put_into_data_when_no_build_looks_at_it(
    files: FileServer, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = Paths(root).state / "build.lock"
    held = try_lock(lock, what="a build")
    assert held is not None
    source = {"url": files.will("/tickets.csv", Answer(CSV))}
    thread = threading.Thread(target=fetched, args=(root, source))
    thread.start()
    while "waits for another" not in capsys.readouterr().out:
        assert thread.is_alive()
        assert in_data(root) == []
    unlock(lock, held)
    thread.join()
    assert [path.read_bytes() for path in in_data(root)] == [CSV]


def test_a_product_of_files_alone_asks_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = params({"path": "tickets.csv"})
    assert remote_sources(own) == []
    monkeypatch.delattr(fetching, "fetch_sources")
    bring_sources(root, own)
    assert not (root / ".modelyard").exists()


NEWER: dict[str, Any] = {
    "url": "sqlite:///crm.db",
    "query": "select id, body as text, queue as label, changed from tickets",
    "since_column": "changed",
}
BY_ID = NEWER | {"id_column": "id"}


def tickets(root: Path, *statements: str) -> None:
    """Carries out statements in a database of tickets with the id, text, label and time of change of each."""
    with sqlite3.connect(root / "crm.db") as database:
        database.execute("create table if not exists tickets (id integer, body, queue, changed)")
        for statement in statements:
            database.execute(statement)
    database.close()


def added(*rows: str) -> str:
    return f"insert into tickets values {', '.join(rows)}"  # noqa: S608 - rows of the tests


def found_in(come: Fetched) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in pq.read_table(come.file).to_pylist()]


FIRST = added("(1, 'Fine.', 'positive', '10:00')", "(2, 'Dull.', 'negative', '10:05')")
ROWS = [("1", "Fine.", "positive", "10:00"), ("2", "Dull.", "negative", "10:05")]


def test_a_later_fetch_reads_newer_rows_alone_and_a_changed_row_is_one_row(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets(root, FIRST)
    (come,) = fetched(root, BY_ID)
    assert found_in(come) == ROWS
    assert "sha256" not in capsys.readouterr().out
    tickets(
        root,
        "delete from tickets where id = 1",  # what is not asked for stays
        "update tickets set queue = 'positive', changed = '10:06' where id = 2",
        added("(3, 'Warm.', 'positive', '10:05')"),  # as new as the newest that is here
    )
    (come,) = fetched(root, BY_ID, again=True)
    assert come.is_new
    assert found_in(come) == [
        ROWS[0],
        ("2", "Dull.", "positive", "10:06"),
        ("3", "Warm.", "positive", "10:05"),
    ]
    assert "2 newer rows, 1 of them in the place of older ones; 3 in all" in capsys.readouterr().out
    (come,) = fetched(root, BY_ID, full=True)
    assert [row[0] for row in found_in(come)] == ["2", "3"]


def test_without_an_id_column_a_changed_row_stands_behind_the_old_one(root: Path) -> None:
    tickets(root, FIRST)
    fetched(root, NEWER)
    tickets(root, "update tickets set queue = 'positive', changed = '10:06' where id = 2")
    (come,) = fetched(root, NEWER, again=True)
    assert found_in(come) == [*ROWS, ("2", "Dull.", "positive", "10:06")]


@pytest.mark.parametrize("source", [NEWER, BY_ID], ids=["no id_column", "id_column"])
def test_where_no_row_is_newer_the_file_keeps_its_bytes(
    root: Path, source: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tickets(root, FIRST)
    (come,) = fetched(root, source)
    before = come.file.stat()
    for change in ("select 1", "delete from tickets"):
        tickets(root, change)
        (come,) = fetched(root, source, again=True)
        assert not come.is_new
        assert (come.file.stat().st_mtime_ns, come.file.stat().st_ino) == (
            before.st_mtime_ns,
            before.st_ino,
        )
        assert "no newer rows" in capsys.readouterr().out
    assert [path for path in (root / ".modelyard" / "fetch").rglob("*") if path.is_dir()] == []


def test_a_build_fetches_no_newer_rows_by_itself(root: Path) -> None:
    tickets(root, FIRST)
    fetched(root, BY_ID)
    tickets(root, added("(3, 'Warm.', 'positive', '10:07')"))
    (come,) = fetched(root, BY_ID)
    assert found_in(come) == ROWS


@pytest.mark.parametrize("case", ["another column", "no mark", "no file", "other columns"])
def test_all_rows_are_read_where_it_is_unknown_what_is_newer(root: Path, case: str) -> None:
    tickets(root, FIRST)
    before: dict[str, dict[str, Any]] = {
        "no mark": {"since_column": None},
        "another column": {"since_column": "id"},
    }
    everything = NEWER | {"query": "select * from tickets", "text_column": "body"}
    source = everything | {"label_column": "queue"}
    (come,) = fetched(root, source | before.get(case, {}))
    changes = ["update tickets set queue = 'positive', changed = '09:00' where id = 1"]
    if case == "other columns":
        changes.append("alter table tickets add column priority")
    if case == "no file":
        come.file.unlink()
    tickets(root, *changes)
    (come,) = fetched(root, source, again=True)
    assert found_in(come)[0][:4] == ("1", "Fine.", "positive", "09:00")
    assert len(found_in(come)) == 2


def test_newer_rows_that_the_source_cannot_read_leave_the_file_as_it_is(root: Path) -> None:
    tickets(root, FIRST)
    (come,) = fetched(root, BY_ID)
    before = come.file.read_bytes()
    tickets(root, added("(3, 'Warm.', 'positive', x'3131')"))
    with pytest.raises(DataError, match=r"'changed', its `since_column`, holds values of the kind"):
        fetched(root, BY_ID, again=True)
    tickets(root, "delete from tickets where id = 3", added("(4, x'ff', 'positive', '11:00')"))
    with pytest.raises(DataError, match="not UTF-8"):
        fetched(root, BY_ID, again=True)
    assert come.file.read_bytes() == before
