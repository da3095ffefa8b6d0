"""Names every write of a release that must survive a power cut, so that each can be tried by a kill.

    with durable(Write.POINTER):
        write_json(...)

A release, a rollback and a repair write nothing that lasts outside such a block;
tests/release/test_durable.py watches the system calls and fails where one does. The tests kill the
process before and after each of them, by a watcher that they put into `watchers`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Literal


class Write(StrEnum):
    """The writes, in the order of a first release."""

    COPY = "copy of the bundle"
    ROWS = "rows it was trained on"
    ORIGIN = "sources it was built from"
    BUNDLES_PUBLIC_KEY = "public key of the signatures"
    SIGNATURE = "signature of the copy"
    KEY = "private key"
    PUBLIC_KEY = "public key beside the ledger"
    HEAD = "head of the ledger"
    LINE = "line of the ledger"
    POINTER_BEFORE = "pointer to go back to"
    POINTER = "pointer"
    SERVER = "address of the server"
    REGISTRY = "MLflow"
    REGISTRY_NOTE = "note of what MLflow knows"
    JOURNAL = "journal of an older version"


Moment = Literal["before", "after"]
watchers: list[Callable[[Write, Moment], None]] = []
"""Called around each write. Empty outside tests."""


@contextmanager
def durable(write: Write) -> Iterator[None]:
    """Says to the watchers that a write begins and, where no error came, that it is on the disk."""
    for watch in watchers:
        watch(write, "before")
    yield
    for watch in watchers:
        watch(write, "after")
