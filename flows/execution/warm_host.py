"""An interpreter with torch and transformers imported, which forks a child for each stage.

    python -P warm_host.py SOCKET MODULE…      (started by flows/execution/warm.py)

Importing them takes longer than several of the stages. The host imports the named modules once,
then serves flows/execution/stage_shell.py, any number at a time: it forks, and the child runs the
stage as `python -m` would, with the shell's standard streams, folder and environment. When the
shell ends, the child and its descendants are ended. It is a script of its own: nothing of the
project is imported before the fork, so a stage runs the code of its own workspace.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

_GRACE_SECONDS = 5.0
_REQUEST_SECONDS = 10.0
_LENGTH_BYTES = 8
_STREAMS = 3  # stdin, stdout, stderr


@dataclass
class _Stage:
    """A forked child; `deadline` is set when its shell has ended: then it is killed."""

    child: int
    ended: int
    shell: socket.socket
    deadline: float | None = None


def main(path: str, modules: list[str]) -> None:
    """Imports the modules, then answers requests; ends with its supervisor."""
    for name in modules:
        importlib.import_module(name)
    gc.freeze()  # children neither search nor copy what is here already
    stages: dict[int, _Stage] = {}
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server,
        selectors.DefaultSelector() as events,
    ):
        server.bind(path)
        server.listen()
        events.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in events.select(_patience(stages)):
                if key.fileobj is not server:
                    _attend(events, stages, key)
                elif request := _accept(server, events, stages):
                    _become_stage(*request)
            _kill_the_late(stages)


def _accept(
    server: socket.socket, events: selectors.BaseSelector, stages: dict[int, _Stage]
) -> tuple[dict[str, str], list[int]] | None:
    """Forks for one request. In the child it returns the request and the streams, here None."""
    shell, _ = server.accept()
    shell.settimeout(_REQUEST_SECONDS)
    request, streams = _read_request(shell)
    if request is None:
        shell.close()
        return None
    child = os.fork()
    if not child:
        # Ends of other stages' connections: their shells must see when the host itself is gone.
        events.close()
        server.close()
        shell.close()
        for stage in stages.values():
            os.close(stage.ended)
            stage.shell.close()
        return request, streams
    for stream in streams:
        os.close(stream)
    with suppress(ProcessLookupError, PermissionError):
        os.setpgid(child, child)
    stage = _Stage(child, os.pidfd_open(child), shell)
    stages[stage.ended] = stage
    events.register(stage.ended, selectors.EVENT_READ, stage)
    events.register(shell, selectors.EVENT_READ, stage)
    return None


def _read_request(shell: socket.socket) -> tuple[dict[str, str] | None, list[int]]:
    """The request with the streams that came along; None where the shell left before its end."""
    streams: list[int] = []
    try:
        head, streams, _, _ = socket.recv_fds(shell, _LENGTH_BYTES, _STREAMS)
        body = b""
        while len(streams) == _STREAMS and len(body) < int.from_bytes(head, "big"):
            part = shell.recv(1 << 16)
            if not part:
                break
            body += part
        return json.loads(body), streams
    except (OSError, ValueError):
        for stream in streams:
            os.close(stream)
        return None, []


def _attend(
    events: selectors.BaseSelector, stages: dict[int, _Stage], key: selectors.SelectorKey
) -> None:
    """The child ended: answers its shell. The shell ended: asks the child to end, too."""
    stage: _Stage = key.data
    if stage.ended not in stages:
        return  # its child ended a moment ago
    if key.fileobj is stage.shell:
        events.unregister(stage.shell)
        stage.deadline = time.monotonic() + _GRACE_SECONDS
        _signal(stage.child, signal.SIGTERM)
        return
    events.unregister(stage.ended)
    if stage.deadline is None:
        events.unregister(stage.shell)
    del stages[stage.ended]
    _signal(stage.child, signal.SIGKILL)  # and what it may have left in its process group
    _, status, used = os.wait4(stage.child, 0)
    os.close(stage.ended)
    code = os.waitstatus_to_exitcode(status)
    answer = f"{code if code >= 0 else 128 - code} {used.ru_maxrss // 1024}\n"
    with stage.shell, suppress(OSError):  # the shell has ended: nobody waits for the answer
        stage.shell.sendall(answer.encode())


def _patience(stages: dict[int, _Stage]) -> float | None:
    """Seconds until the next child has to be killed; None where none has."""
    deadlines = [stage.deadline for stage in stages.values() if stage.deadline is not None]
    return max(min(deadlines) - time.monotonic(), 0.0) if deadlines else None


def _kill_the_late(stages: dict[int, _Stage]) -> None:
    for stage in stages.values():
        if stage.deadline is not None and time.monotonic() >= stage.deadline:
            stage.deadline = time.monotonic() + _GRACE_SECONDS
            _signal(stage.child, signal.SIGKILL)


def _become_stage(request: dict[str, str], streams: list[int]) -> NoReturn:
    """Does in the child what `python -m <module>` does, and ends it.

    It ends without taking the imported libraries apart, for which Python needs a second and a half.
    """
    with suppress(ProcessLookupError):
        os.setpgid(0, 0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(json.loads(request["environment"]))
    os.chdir(request["folder"])
    sys.path.insert(0, request["folder"])
    sys.argv = [request["module"]]
    code = _exit_code(request["module"])
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does: waits for threads,
    atexit._run_exitfuncs()  # then does what was left for the end
    for output in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            output.flush()
    os._exit(code)


def _exit_code(module: str) -> int:
    """Runs a module as the main one; returns the exit code that Python would end with."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
