"""An interpreter with torch and transformers imported, which forks a child for each stage.

    python -P warm_host.py SOCKET MODULE…      (started by flows/execution/warm.py)

Importing them takes longer than several of the stages. The host imports the named modules once,
then serves flows/execution/stage_shell.py: it forks, and the child runs the stage as `python -m`
would, with the shell's standard streams, folder and environment. When the shell ends, the child and
its descendants are ended. It is a script of its own: nothing of the project is imported before the
fork, so a stage runs the code of its own workspace.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress

_GRACE_SECONDS = 5.0
_REQUEST_BYTES = 1 << 18


def main(path: str, modules: list[str]) -> None:
    """Imports the modules, then answers one request after the other; ends with its supervisor."""
    for name in modules:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                request, streams, _, _ = socket.recv_fds(connection, _REQUEST_BYTES, 3)
                if len(streams) != len(("stdin", "stdout", "stderr")):
                    continue
                child = os.fork()
                if not child:
                    server.close()
                    connection.close()
                    _become_stage(json.loads(request), streams)
                    return
                for stream in streams:
                    os.close(stream)
                code = _wait(child, connection)
                with suppress(OSError):  # the shell has ended: nobody waits for the answer
                    connection.send(str(code).encode())


def _become_stage(request: dict[str, str], streams: list[int]) -> None:
    """Does in the child what `python -m <module>` does."""
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
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _wait(child: int, connection: socket.socket) -> int:
    """Exit code of the child as a shell gives it; the child is ended where the shell ends first."""
    with suppress(ProcessLookupError, PermissionError):
        os.setpgid(child, child)
    ended, shell = os.pidfd_open(child), connection.fileno()
    try:
        ready, _, _ = select.select([ended, shell], [], [])
        if ended not in ready:
            _signal(child, signal.SIGTERM)
            select.select([ended], [], [], _GRACE_SECONDS)
        _signal(child, signal.SIGKILL)  # and what it may have left in its process group
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(ended)
    return code if code >= 0 else 128 - code


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
