"""A Prefect server for tests, on a database of its own, to which this process and its children talk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.orchestration.prefect_server import temporary_server
from tests.support.prefect_database import put_database


@contextmanager
def start_prefect(root: Path, database: Path) -> Iterator[str]:
    """Yields the API's address; `database` is copied to where the project `root` keeps its own."""
    put_database(database, root)
    with temporary_server(root) as address:
        yield address


@contextmanager
def talking_to(address: str) -> Iterator[None]:
    """Makes Prefect in this process talk to the server."""
    with temporary_settings({PREFECT_API_URL: address}):
        yield
        APILogHandler().flush()
        EventsWorker.drain_all(timeout=10)
