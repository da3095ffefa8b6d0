"""Tells one destination, Prefect or MLflow, what a run writes into its outbox, from a thread.

The run never waits for it. A destination that fails is tried again, after a pause that grows to ten
seconds; what is not told when the run ends stays in the outbox for the next start.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Protocol

from flows.tracking.facts import Fact
from flows.tracking.outbox import Outbox, Told
from pipeline.core.progress import say

_PAUSES = (1.0, 2.0, 5.0, 10.0)
_NEWS_SECONDS = 1.0
_GATHER_SECONDS = 0.2
_ATTEND_SECONDS = 2.0
_AT_MOST_SECONDS = 90.0


class RefusedError(Exception):
    """The destination will never take a fact: what it belongs to was deleted there, for example."""


class Destination(Protocol):
    """Prefect or MLflow. Whatever it is told twice, it keeps once."""

    name: str

    def tell(self, facts: Sequence[Fact], told: Told) -> None:
        """Tells facts of one kind; notes in `told.ids` what the destination calls things."""

    def attend(self, told: Told) -> None:
        """Called every two seconds or so while the run goes on."""

    def close(self) -> None:
        """Ends what it has opened; another thread may be inside `tell`."""


class Teller:
    """A thread that tells a destination the outboxes of earlier runs, then that of this one.

    Args:
        patience: seconds for which the end of a run waits while the destination fails.
    """

    def __init__(
        self,
        open_destination: Callable[[], Destination],
        *,
        name: str,
        log: Path,
        patience: float = 5.0,
    ) -> None:
        self.name = name
        self._patience = patience
        self.error: str | None = None
        self._open, self._log = open_destination, log
        self._outboxes: list[Outbox] = []
        self._destination: Destination | None = None
        self._told: dict[Outbox, Told] = {}
        self._attended = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, outboxes: Sequence[Outbox]) -> None:
        """Begins with the outboxes of runs that have ended; the last one is that of this run."""
        self._outboxes = list(outboxes)
        self._told = {outbox: outbox.told(self.name) for outbox in outboxes}
        self._thread.start()

    def ids(self, outbox: Outbox) -> dict[str, str]:
        """The names that the destination has for the builds and stages of a run, as far as it was told."""
        return dict(self._told[outbox].ids)

    def wait_for(self, key: str, *, seconds: float) -> str | None:
        """The name that the destination has for a build or stage of this run.

        It waits for so long; None where it is not told by then, or cannot be.
        """
        deadline = time.monotonic() + seconds
        while (found := self._told[self._outboxes[-1]].ids.get(key)) is None:
            if self.error is not None or time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        return found

    def finish(self) -> int:
        """Waits until all is told, or the destination fails; returns how many facts are not told."""
        self._ending.set()
        started = time.monotonic()
        while self._thread.is_alive():
            with self._outboxes[-1].news:
                self._outboxes[-1].news.notify_all()
            waited = time.monotonic() - started
            if waited > (self._patience if self.error else _AT_MOST_SECONDS):
                break
            self._thread.join(0.1)
        if self._destination is not None:
            self._destination.close()
        return sum(self._behind(outbox) for outbox in self._outboxes)

    def _behind(self, outbox: Outbox) -> int:
        position, count = self._told[outbox].position, 0
        while chunk := outbox.read(position):
            position, count = chunk[-1][1], count + len(chunk)
        return count

    def _run(self) -> None:
        failures = 0
        while True:
            try:
                if self._destination is None:
                    self._destination = self._open()
                last = self._ending.is_set()
                if not self._tell_some() and last:
                    return
                self.error, failures = None, 0
            except Exception as error:  # whatever it raises: the run matters more
                self._note(error)
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
                failures += 1
                self._ending.wait(pause)
                if self._ending.is_set():
                    time.sleep(_PAUSES[0])

    def _tell_some(self) -> bool:
        """Tells what is new in the outboxes; False where nothing was."""
        assert self._destination is not None  # noqa: S101 - the caller has opened it
        worked = False
        for outbox in self._outboxes:
            told = self._told[outbox]
            while chunk := outbox.read(told.position):
                worked = True
                for _, group in groupby(chunk, key=lambda item: type(item[0])):
                    items = list(group)
                    self._tell([fact for fact, _ in items], told)
                    told.position = items[-1][1]
                outbox.keep_told(self.name, told)
        live = self._outboxes[-1]
        if self._ending.is_set():
            return worked
        if time.monotonic() - self._attended > _ATTEND_SECONDS:
            self._attended = time.monotonic()
            self._destination.attend(self._told[live])
        if worked:
            self._ending.wait(_GATHER_SECONDS)  # lines that come together are told together
        else:
            with live.news:
                live.news.wait(_NEWS_SECONDS)
        return worked

    def _tell(self, facts: Sequence[Fact], told: Told) -> None:
        """Tells facts of one kind; where they are refused together, those alone are left out."""
        assert self._destination is not None  # noqa: S101 - the caller has opened it
        try:
            self._destination.tell(facts, told)
        except RefusedError as error:
            if len(facts) == 1:
                self._write(f"{type(facts[0]).__name__} is refused: {error}")
                return
            for fact in facts:
                self._tell([fact], told)

    def _note(self, error: Exception) -> None:
        """Says the first failure of a row, and writes each to the log."""
        text = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        if self.error is None and not self._ending.is_set():
            say(f"NOTE  {self.name} cannot be told at the moment, the run goes on: {text}")
        self.error = text
        self._write(text)

    def _write(self, text: str) -> None:
        with suppress(OSError):
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as stream:
                stream.write(f"{time.strftime('%F %T')}  {text}\n")
