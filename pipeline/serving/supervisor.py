"""Keeps a server's workers running: holds the socket, starts them, replaces them, ends them.

    SIGHUP             new code: takes it up itself, then replaces the workers one by one
    SIGTERM            each worker finishes what it has; ends with 0
    SIGINT             the same, without the time for balancers; a second one kills
    a worker is lost   another starts at once; after losses in a row, with a pause that grows

The socket is never closed between, so a connection may wait but is not refused. If this process is
killed, its workers notice, close the socket and end. It imports little, so that it takes little
memory and has little that could fail.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.core.process_identity import ProcessIdentity, identity_of
from pipeline.core.served_code import served_code
from pipeline.core.server_note import ServerNote, WorkerNote
from pipeline.core.typed_json import read_as
from pipeline.serving.channel import ANY_STATE, NEEDS_MODEL, REPLACED, STOP, Report, ReportReader
from pipeline.serving.shared_slots import SLOTS, VARIABLE, open_shared

HANDED_ON = "MODELYARD_HANDED_ON"
"""The variable in which a supervisor hands its workers on to its own newer code."""
TRIAL = "MODELYARD_TRIAL"
"""Set where newer code is only tried, up to the moment at which it would take over."""
LOG_BYTES = 5_000_000
_WORKER = "pipeline.serving.worker"
_START_SECONDS = 120.0
_TRIAL_SECONDS = 20.0
_QUICK_SECONDS = 1.0
_LONGEST_PAUSE = 10.0
_TICK_SECONDS = 1.0
_POINTER_SECONDS = 0.1
_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_LOGGER = logging.getLogger("modelyard.supervisor")


@dataclass(kw_only=True)
class Worker:
    """A child process, and what it said of itself.

    Attributes:
        generation: which update of the code started it.
        since: when it was started, or last entered another phase, by the monotonic clock.
        kill_at: when it is killed if it has not ended; None before it was told to end.
        slot: its place to count (shared_slots.py); None if it has none.
        replaced: whether it knows that others take the connections.
        hung_up: whether it closed its channel, which it does as it ends.
    """

    channel: socket.socket
    note: WorkerNote
    generation: int
    since: float = field(default_factory=time.monotonic)
    kill_at: float | None = None
    slot: int | None = None
    replaced: bool = False
    hung_up: bool = False
    reader: ReportReader = field(init=False)

    def __post_init__(self) -> None:
        self.channel.setblocking(False)
        self.reader = ReportReader(self.channel, self._hear)

    @property
    def pid(self) -> int:
        return self.note.process.pid

    @property
    def staying(self) -> bool:
        return self.kill_at is None and self.note.phase != "leaving"

    def order(self, order: bytes) -> None:
        """Sends an order; a worker that has ended needs none."""
        with suppress(OSError):
            self.channel.send(order)

    def _hear(self, report: Report) -> None:
        if report.phase != self.note.phase:
            self.since = time.monotonic()
        phase = self.note.phase if self.kill_at is not None else report.phase
        self.note = replace(self.note, **{**asdict(report), "phase": phase})


class Supervisor:
    """The workers of one server, and the socket that they share.

    Args:
        arguments: the server's command line, which the workers get too.
        count: workers to keep.
        limit: seconds after which a worker that ends is killed.
        changed: gets the note with its workers whenever they have changed.
        logs: files to which the workers add, the output's among them; they are kept short.
        pointer: file that names what the workers serve; when it changes, a pause is over.
    """

    def __init__(
        self,
        listener: socket.socket,
        arguments: Sequence[str],
        *,
        count: int,
        limit: float,
        note: ServerNote,
        changed: Callable[[ServerNote], None],
        logs: Sequence[Path] = (),
        pointer: Path | None = None,
    ) -> None:
        self._listener, self._arguments, self._logs = listener, list(arguments), tuple(logs)
        self._counts: int | None = None
        self._count, self._limit = count, limit
        self._pointer, self._pointed = pointer, _signature(pointer)
        self._note, self._changed = note, changed
        self._workers: list[Worker] = []
        self._generation = self._failures = 0
        self._next_start = 0.0
        self._served = False
        self._exit_code: int | None = None
        self._asked: list[int] = []
        self._told: ServerNote | None = None

    def run(self) -> int:
        """Keeps the workers until a signal ends it; returns the exit code."""
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._asked.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        while True:
            self._answer_signals()
            self._reap()
            if self._exit_code is not None and not self._workers:
                return self._exit_code
            if self._exit_code is None:
                self._end_pause()
                self._start_missing()
                self._retire_surplus()
            self._kill_overdue()
            self._tell()
            self._bound_log()
            self._wait(wake)

    def adopt(self, handed_on: str) -> None:
        """Goes on with the workers of the process that this one was before it took up new code."""
        value = json.loads(handed_on)
        self._generation, self._served = value["generation"] + 1, True
        self._counts = value.get("counts")
        self._note = replace(self._note, troubles=value["troubles"], trouble=value["trouble"])
        for worker in value["workers"]:
            note = read_as(WorkerNote, worker.pop("note"))
            channel = socket.socket(fileno=worker.pop("channel"))
            channel.set_inheritable(False)
            self._workers.append(Worker(channel=channel, note=note, **worker))

    def _answer_signals(self) -> None:
        while self._asked:
            number = self._asked.pop(0)
            if number == signal.SIGHUP and self._exit_code is None:
                self._renew()
            elif number in (signal.SIGTERM, signal.SIGINT):
                self._end(hurried=number == signal.SIGINT)

    def _end(self, *, hurried: bool) -> None:
        """Tells every worker that the server ends."""
        again, self._exit_code = self._exit_code is not None, self._exit_code or 0
        # The workers have it too: it takes connections until they close it, and none then waits in vain.
        self._listener.close()
        for worker in self._workers:
            worker.order(STOP)
            if hurried:
                with suppress(OSError):
                    worker.channel.shutdown(socket.SHUT_WR)
            self._retire(worker)
            if hurried and again:
                worker.kill_at = 0.0

    def _retire(self, worker: Worker) -> None:
        """Lets a worker finish what it has, and end."""
        if worker.kill_at is None:
            worker.kill_at = time.monotonic() + self._limit
            worker.note = replace(worker.note, phase="leaving")
            # It was not waited for yet, so the number is still its own.
            os.kill(worker.pid, signal.SIGTERM)

    def _start_missing(self) -> None:
        """Starts a worker of the present code where one is missing; in an update one after another."""
        staying = [worker for worker in self._workers if worker.staying]
        fresh = [worker for worker in staying if worker.generation == self._generation]
        while len(fresh) < self._count and time.monotonic() >= self._next_start:
            updating = len(fresh) < len(staying)
            if updating and any(worker.note.phase == "starting" for worker in fresh):
                return
            fresh.append(self._start())
            staying.append(fresh[-1])

    def _end_pause(self) -> None:
        """Tries at once where the pointer names something else than what could not be served."""
        if (pointed := _signature(self._pointer)) != self._pointed:
            self._pointed, self._next_start = pointed, 0.0

    def _start(self) -> Worker:
        code = served_code()  # before the worker reads it, so that a later change is noticed
        ours, theirs = socket.socketpair()
        ends = [str(end.fileno()) for end in (self._listener, theirs)]
        # Beside a worker that has a model, one without would answer half of the requests with 503.
        needs = NEEDS_MODEL if any(w.note.hash and w.staying for w in self._workers) else ANY_STATE
        command = [sys.executable, "-m", _WORKER, *ends, needs, *self._arguments]
        for end in (self._listener, theirs):
            end.set_inheritable(True)
        slot = min({*range(SLOTS)} - {w.slot for w in self._workers}, default=None)
        pid = os.posix_spawn(sys.executable, command, {**os.environ, **self._told_place(slot)})
        self._listener.set_inheritable(False)
        theirs.close()
        nameless = ProcessIdentity(pid=pid, started="", boot="", host="")  # ended already
        note = WorkerNote(process=identity_of(pid) or nameless, code=code)
        worker = Worker(channel=ours, note=note, generation=self._generation, slot=slot)
        self._workers.append(worker)
        return worker

    def _told_place(self, slot: int | None) -> Mapping[str, str]:
        """The variable by which a worker finds its place to count; none where all are taken."""
        if self._counts is None:
            self._counts = open_shared()
        os.set_inheritable(self._counts, True)
        return {} if slot is None else {VARIABLE: f"{self._counts}:{slot}"}

    def _retire_surplus(self) -> None:
        """Lets an old worker go for each new one that answers, and those that go take no more."""
        old = [w for w in self._workers if w.staying and w.generation < self._generation]
        serving = [w for w in self._workers if w.staying and w.note.phase == "serving"]
        for worker in old[: max(0, len(serving) - self._count)]:
            self._retire(worker)
        if len(serving) >= self._count:
            for worker in self._workers:
                if not (worker.staying or worker.replaced):
                    worker.replaced = True
                    worker.order(REPLACED)

    def _reap(self) -> None:
        """Hears what the workers say, and notes which have ended."""
        for worker in list(self._workers):
            worker.hung_up = worker.hung_up or not worker.reader.read()
            pid, status = os.waitpid(worker.pid, os.WNOHANG) if worker.hung_up else (0, 0)
            self._served |= worker.note.phase != "starting"
            if pid == 0:
                continue
            self._workers.remove(worker)
            worker.channel.close()
            if worker.staying and self._exit_code is None:
                self._lose(worker, os.waitstatus_to_exitcode(status))

    def _lose(self, worker: Worker, code: int) -> None:
        """Decides what follows the end of a worker that nobody told to end."""
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        reason = f": {worker.note.reason}" if worker.note.reason else ""
        self._complain(f"worker {worker.pid} {how}{reason}")
        if not self._served:
            self._exit_code = code if code > 0 else 1
            self._end(hurried=False)
            return
        lived = time.monotonic() - worker.since
        quick = worker.note.phase == "starting" or lived < _QUICK_SECONDS
        self._failures = self._failures + 1 if quick else 0
        # The first at once: it may have been an accident.
        pause = 0.0 if self._failures < 2 else min(0.5 * 2 ** (self._failures - 2), _LONGEST_PAUSE)
        self._next_start = time.monotonic() + pause

    def _complain(self, trouble: str) -> None:
        _LOGGER.error("%s", trouble)
        self._note = replace(self._note, troubles=self._note.troubles + 1, trouble=trouble)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.note.phase == "leaving" and worker.kill_at is None:
                worker.kill_at = now + self._limit
            hangs = worker.note.phase == "starting" and now > worker.since + _START_SECONDS
            if hangs or (worker.kill_at is not None and now > worker.kill_at):
                _LOGGER.error("worker %d takes too long; it is killed", worker.pid)
                os.kill(worker.pid, signal.SIGKILL)
                worker.kill_at = now + self._limit

    def _tell(self) -> None:
        note = replace(self._note, workers=tuple(worker.note for worker in self._workers))
        if note != self._told:
            self._told = note
            self._changed(note)

    def _renew(self) -> None:
        """Becomes the program that its code is now: the same process, socket and workers."""
        ends = (self._listener, *(worker.channel for worker in self._workers))
        environment = {**os.environ, HANDED_ON: json.dumps(self._handed_on())}
        command = [sys.executable, *sys.orig_argv[1:]]
        for end in ends:
            end.set_inheritable(True)
        if failure := _tried(command, environment):
            for end in ends:
                end.set_inheritable(False)
            self._complain(f"the new code does not start, the old goes on: {failure}")
            return
        _LOGGER.info("taking up new code")
        # What a signal asks between here and the new code's handlers waits for those.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        os.execve(sys.executable, command, environment)  # noqa: S606 - its own command line

    def _handed_on(self) -> Mapping[str, Any]:
        workers = [
            {
                "channel": worker.channel.fileno(),
                "note": asdict(worker.note),
                "generation": worker.generation,
                "since": worker.since,
                "kill_at": worker.kill_at,
                "slot": worker.slot,
            }
            for worker in self._workers
        ]
        return {
            "listener": self._listener.fileno(),
            "counts": self._counts,
            "generation": self._generation,
            "troubles": self._note.troubles,
            "trouble": self._note.trouble,
            "workers": workers,
        }

    def _bound_log(self) -> None:
        """Keeps the logs' newest part; all processes append to one file, so it stays the same file."""
        for log in self._logs:
            with suppress(OSError):
                if log.stat().st_size > LOG_BYTES:
                    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
                    os.truncate(log, 0)

    def _wait(self, wake: socket.socket) -> None:
        """Sleeps until a signal, a report, or the next moment at which something is due."""
        times = [worker.kill_at for worker in self._workers if worker.kill_at is not None]
        if self._next_start > time.monotonic():
            times += [self._next_start, time.monotonic() + _POINTER_SECONDS]
        due = min(times, default=float("inf")) - time.monotonic()
        with selectors.DefaultSelector() as selector:
            for end in (wake, *(w.channel for w in self._workers if not w.hung_up)):
                selector.register(end, selectors.EVENT_READ)
            selector.select(max(0.0, min(due, _TICK_SECONDS)))
        with suppress(BlockingIOError):
            wake.recv(4096)


def _signature(pointer: Path | None) -> tuple[int, int] | None:
    """A value that changes with the file; None where there is none."""
    with suppress(OSError):
        if pointer is not None:
            found = pointer.stat()
            return found.st_mtime_ns, found.st_ino
    return None


def handed_listener(handed_on: str) -> socket.socket:
    """The socket that the process held before it took up new code."""
    listener = socket.socket(fileno=json.loads(handed_on)["listener"])
    listener.set_inheritable(False)
    return listener


def _tried(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Why this command does not get as far as taking over; None if it does."""
    try:
        tried = subprocess.run(
            command,
            env={**environment, TRIAL: "1"},
            close_fds=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return repr(error)
    return (tried.stderr[-500:] or f"exit code {tried.returncode}") if tried.returncode else None
