"""Starts a model server as a detached process, finds it again and stops it.

Detached means: its own session, no stdin, output to a log file. So `make pipeline | tee log` ends
when the pipeline does, and closing the terminal does not stop the server. Its command line names
a note in the product's folder, so it is found even when `server.json`, which describes it, is lost;
a server of the same bundles that somebody else started names no such note, and is left alone.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError, ReleaseError
from pipeline.core.files import read_json, write_json
from pipeline.core.process_identity import ProcessIdentity, identity_of, is_running
from pipeline.core.progress import say
from pipeline.core.served_code import CODE, served_code
from pipeline.core.server_note import ServerNote
from pipeline.core.typed_json import read_as
from pipeline.release.durable import Write, durable
from pipeline.release.requests import Address, served_hash
from pipeline.release.state import ReleaseState

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_MODULE = "pipeline.serving.server"
_CANDIDATE = "--candidate"
_START_SECONDS = 60.0
# Nothing stands before a server on this machine that would have to notice.
_DRAIN_SECONDS = 0.3
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A running server, as `server.json` describes it.

    Attributes:
        code: `served_code` when it was started; empty for one that an older version started.
    """

    process: ProcessIdentity
    host: str
    port: int
    code: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)


def running_server(state: ReleaseState) -> ServerProcess | None:
    """The server that `server.json` describes; None unless that very process still runs."""
    note = state.optional(state.server)
    if note is None:
        return None
    if "process" not in note:
        return _of_older_note(state, note)
    server = read_as(ServerProcess, note)
    return server if is_running(server.process) else None


def _of_older_note(state: ReleaseState, note: Mapping[str, Any]) -> ServerProcess | None:
    """The server that an older version noted down by pid, if the process of that pid is one."""
    process = next((found for found in find_servers(state) if found.pid == note["pid"]), None)
    if process is None:
        return None
    return ServerProcess(process=process, host=note["host"], port=note["port"])


def is_alive(pid: int, create_time: float | None = None) -> bool:
    """Whether a process runs. A zombie does not, nor does another process with the same pid."""
    try:
        process = psutil.Process(pid)
        same = create_time is None or process.create_time() == create_time
        return bool(pid > 0 and same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError):  # ValueError: a negative pid
        return False


def is_outdated(server: ServerProcess, code: Path = CODE) -> bool:
    """Whether the code was changed after the server started. A release brings bundles, not code."""
    return server.code != served_code(code)


def tries_candidates(server: ServerProcess) -> bool:
    """Whether a server follows the file of candidates: one that an older version started does not."""
    try:
        return _CANDIDATE in psutil.Process(server.pid).cmdline()
    except psutil.Error:
        return False


def renew_server(state: ReleaseState, server: ServerProcess) -> ServerProcess:
    """Makes a running server work with the present code, at the same address; callers notice nothing.

    Raises:
        ReleaseError: the new code does not start; the old one goes on.
    """
    before = server_note(state)
    if before is None:
        # Of a version that had no supervisor: the last time that callers are refused for a moment.
        stop_process(server.process)
        return start_server(state, server.port)
    code, old = served_code(), [worker.process for worker in before.workers]
    with suppress(psutil.Error):
        # psutil refuses to signal another process than the one that it found here.
        process = psutil.Process(server.pid)
        if is_running(server.process):
            process.send_signal(signal.SIGHUP)
    deadline, reason, note = time.monotonic() + _START_SECONDS, "", before
    while not reason:
        time.sleep(_POLL_SECONDS)
        note = server_note(state) or note
        if all(w.phase == "serving" and w.process not in old for w in note.staying):
            renewed = replace(server, code=code)
            with durable(Write.SERVER):
                write_json(state.server, asdict(renewed))
            return renewed
        if note.troubles > before.troubles:
            reason = str(note.trouble)
        elif not is_running(server.process):
            reason = "its process ended"
        elif time.monotonic() > deadline:
            reason = f"not within {_START_SECONDS:g} s"
    raise ReleaseError(
        f"new code that does not start: {reason}",
        expected="workers of this folder's code; those of the old code serve on",
        next_step=f"read {state.logs / 'server.log'}, mend the code, run `make serve` again",
    )


def server_note(state: ReleaseState) -> ServerNote | None:
    """The long-lived server's own note with its workers; None if there is none that can be read."""
    try:
        return ServerNote.load(_note(state, "server"))
    except ArtifactError:
        return None


def start_server(state: ReleaseState, port: int) -> ServerProcess:
    """Starts the long-lived server on `port`, or the next free one, and writes `server.json`."""
    arguments = ["--pointer", str(state.pointer.resolve())]
    arguments += [_CANDIDATE, str(state.candidate.resolve()), "--pairs", str(state.pairs.resolve())]
    server = _start(state, arguments, port=port, name="server")
    with durable(Write.SERVER):
        write_json(state.server, asdict(server))
    if server.port != port:
        say(f"release  port {port} is in use; the server listens on {server.port}")
    return server


def start_candidate(state: ReleaseState, bundle_hash: str) -> ServerProcess:
    """Starts a server of one release copy on a port of its own."""
    arguments = ["--bundle", str(state.release(bundle_hash).resolve())]
    return _start(state, arguments, port=0, name="candidate")


def start_detached(
    command: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts `python -m COMMAND` in a session of its own; its output is added to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env=chosen_environment(os.environ) if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop_process(noted: ProcessIdentity) -> bool:
    """Ends this very process with all its descendants, waits for it; False where it had ended."""
    try:
        # psutil refuses to signal another process than the one that it found here.
        process = psutil.Process(noted.pid)
        if not is_running(noted):
            return False
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return False
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, family = psutil.wait_procs(family, timeout=_STOP_SECONDS)
    return True


def stop_all(state: ReleaseState) -> list[int]:
    """Stops every server that was started for this product, left-over candidates too.

    Returns:
        Their pids.
    """
    stopped = [process.pid for process in find_servers(state) if stop_process(process)]
    state.server.unlink(missing_ok=True)
    return stopped


def find_servers(state: ReleaseState) -> list[ProcessIdentity]:
    """The servers that were started here for this product: they note their address in its folder."""
    notes = {str(_note(state, name).resolve()) for name in ("server", "candidate")}
    found = [
        identity_of(process.pid)
        for process in psutil.process_iter(["cmdline"])
        if _MODULE in (command := process.info["cmdline"] or []) and notes & set(command)
    ]
    return [process for process in found if process is not None]


def _start(state: ReleaseState, arguments: Sequence[str], *, port: int, name: str) -> ServerProcess:
    """Starts a server and waits until it is ready. The server itself looks for a free port."""
    note, log = _note(state, name), state.logs / f"{name}.log"
    note.unlink(missing_ok=True)
    listen = ["--host", HOST, "--port", str(port), "--state", str(note.resolve())]
    listen += ["--log", str(log.resolve()), "--drain", str(_DRAIN_SECONDS)]
    # Not in the working folder: that of a build may be deleted.
    code = served_code()
    process = start_detached([_MODULE, *arguments, *listen], log=log, cwd=CODE)
    # A child of this process keeps its pid until it is waited for.
    identity = identity_of(process.pid)
    try:
        address = _wait_ready(process, note, log)
        if identity is None:
            raise _not_ready(log)
    except BaseException:
        if identity is not None:
            stop_process(identity)
        process.wait()
        raise
    # The server outlives this process on purpose; Popen would warn of that if it had no exit code.
    process.returncode = 0
    return ServerProcess(process=identity, host=address.host, port=address.port, code=code)


def _note(state: ReleaseState, name: str) -> Path:
    """Where a server of this product writes its address when it listens."""
    return state.folder / f"{name}.listening.json"


def _wait_ready(process: subprocess.Popen[bytes], note: Path, log: Path) -> Address:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if note.exists():
            value = read_json(note)
            address = Address(value["host"], value["port"])
            if served_hash(address, timeout=2.0) is not None:
                return address
        time.sleep(_POLL_SECONDS)
    raise _not_ready(log)


def _not_ready(log: Path) -> ReleaseError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    return ReleaseError(
        f"a server that did not get ready: {' | '.join(lines) or 'its log is empty'}",
        expected=f"/health/ready to answer within {_START_SECONDS:g} s",
        next_step=f"read {log}",
    )
