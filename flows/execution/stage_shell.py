#!/usr/bin/env python3
"""The shell in which DVC runs a stage's command while a build keeps an interpreter warm.

    stage_shell.py -c "python -m pipeline.finetune"

DVC takes the shell from `SHELL`. This one passes `python -m MODULE` to flows/execution/warm_host.py
with its own standard streams, waits, and ends with the stage's exit code. Any other command, and
every command while no host listens, goes to /bin/sh. It is a script of its own so that it starts in
milliseconds.
"""

import json
import os
import shlex
import signal
import socket
import sys
from pathlib import Path

_WORDS = 3  # python -m MODULE
_LENGTH_BYTES = 8


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code."""
    command = arguments[-1]
    words = shlex.split(command)
    host = _host() if words[:2] == ["python", "-m"] and len(words) == _WORDS else None
    if host is None:
        os.execv("/bin/sh", ["/bin/sh", *arguments])  # noqa: S606 - it is a shell itself
    with host:
        # Asked to end: hang up, and wait until the host says that the stage has ended.
        signal.signal(signal.SIGTERM, lambda *_: host.shutdown(socket.SHUT_WR))
        request = {
            "module": words[-1],
            "folder": str(Path.cwd()),
            "environment": json.dumps(dict(os.environ)),
        }
        body = json.dumps(request).encode()
        # The length first, with the streams: an environment may be longer than one packet.
        socket.send_fds(host, [len(body).to_bytes(_LENGTH_BYTES, "big")], [0, 1, 2])
        host.sendall(body)
        answer = host.makefile().readline().split()
    if not answer:
        print("the warm interpreter ended while the stage ran", file=sys.stderr)
        return 1
    code, peak = map(int, answer)
    if code:
        print(f"peak memory {peak} MB", flush=True)
    return code


def _host() -> socket.socket | None:
    """A connection to the host; None where it does not listen (yet)."""
    path = os.environ.get("MODELYARD_WARM_SOCKET")
    if not path:
        return None
    host = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        host.connect(path)
    except OSError:
        host.close()
        return None
    return host


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
