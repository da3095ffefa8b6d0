"""Starts a model server as a detached process, finds it again and stops it.

Detached means: its own session, no stdin, output to a log file. So `make pipeline | tee log` ends
when the pipeline does, and closing the terminal does not stop the server. Its command line names
the product's pointer file, so it is found even when `server.json`, which describes it, is lost.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ReleaseError
from pipeline.core.files import read_json, write_json
from pipeline.core.progress import say
from pipeline.core.typed_json import read_as
from pipeline.release.requests import Address, served_hash
from pipeline.release.state import ReleaseState

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_MODULE = "pipeline.serving.server"
_CODE = Path(__file__).resolve().parents[2]
_SERVED_CODE = ("pipeline/core", "pipeline/runtime", "pipeline/serving")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A running server, as `server.json` describes it.

    Systems reuse process ids; `pid` and `create_time` together name one process.
    """

    pid: int
    host: str
    port: int
    create_time: float

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)


def running_server(state: ReleaseState) -> ServerProcess | None:
    """The server that `server.json` describes; None unless that very process still runs."""
    note = state.optional(state.server)
    if note is None:
        return None
    # Older servers also wrote when they were started.
    server = read_as(ServerProcess, {key: note[key] for key in note if key != "started"})
    return server if is_alive(server.pid, server.create_time) else None


def is_alive(pid: int, create_time: float | None = None) -> bool:
    """Whether a process runs. A zombie does not, nor does another process with the same pid."""
    try:
        process = psutil.Process(pid)
        same = create_time is None or process.create_time() == create_time
        return bool(pid > 0 and same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError):  # ValueError: a negative pid
        return False


def is_outdated(server: ServerProcess, code: Path = _CODE) -> bool:
    """Whether the code was changed after the server started. A release brings bundles, not code."""
    files = [
        path
        for folder in _SERVED_CODE
        for path in (code / folder).rglob("*")
        if path.suffix in (".py", ".html", ".js", ".css")
    ]
    return max(path.stat().st_mtime for path in files) > server.create_time


def start_server(state: ReleaseState, port: int) -> ServerProcess:
    """Starts the long-lived server on `port`, or the next free one, and writes `server.json`."""
    arguments = ["--pointer", str(state.pointer.resolve())]
    server = _start(state, arguments, port=port, name="server")
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


def stop_server(pid: int) -> None:
    """Ends a process with all its descendants, and waits until they are gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, family = psutil.wait_procs(family, timeout=_STOP_SECONDS)


def stop_all(state: ReleaseState) -> list[int]:
    """Stops every server of this product, left-over candidates too; returns their pids."""
    for pid in (pids := find_servers(state)):
        stop_server(pid)
    state.server.unlink(missing_ok=True)
    return pids


def find_servers(state: ReleaseState) -> list[int]:
    """The pids of all processes whose command line shows that they serve this product's bundles."""
    pointer, releases = str(state.pointer.resolve()), f"{state.releases.resolve()}{os.sep}"
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and _MODULE in (command := process.info["cmdline"] or [])
        and any(word == pointer or word.startswith(releases) for word in command)
    ]


def wait_for_hash(address: Address, bundle_hash: str, *, seconds: float) -> bool:
    """Whether `address` serves the bundle within `seconds`."""
    deadline = time.monotonic() + seconds
    while served_hash(address, timeout=2.0) != bundle_hash:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _start(state: ReleaseState, arguments: Sequence[str], *, port: int, name: str) -> ServerProcess:
    """Starts a server and waits until it is ready. The server itself looks for a free port."""
    note, log = state.folder / f"{name}.listening.json", state.logs / f"{name}.log"
    note.unlink(missing_ok=True)
    listen = ["--host", HOST, "--port", str(port), "--state", str(note.resolve())]
    # Not in the working folder: that of a build may be deleted.
    process = start_detached([_MODULE, *arguments, *listen], log=log, cwd=_CODE)
    try:
        address = _wait_ready(process, note, log)
        create_time = psutil.Process(process.pid).create_time()
    except BaseException:
        stop_server(process.pid)
        process.wait()
        raise
    # The server outlives this process on purpose; Popen would warn of that if it had no exit code.
    process.returncode = 0
    return ServerProcess(pid=process.pid, create_time=create_time, **asdict(address))


def _wait_ready(process: subprocess.Popen[bytes], note: Path, log: Path) -> Address:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if note.exists():
            value = read_json(note)
            address = Address(value["host"], value["port"])
            if served_hash(address, timeout=2.0) is not None:
                return address
        time.sleep(_POLL_SECONDS)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    raise ReleaseError(
        f"a server that did not get ready: {' | '.join(lines) or 'its log is empty'}",
        expected=f"/health/ready to answer within {_START_SECONDS:g} s",
        next_step=f"read {log}",
    )
