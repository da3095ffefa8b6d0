"""Ports of this machine: the requested one, a free one, and whether a server answers."""

import os
import socket
import urllib.error
import urllib.request

from pipeline.core.errors import ParameterError
from pipeline.release.server_process import DEFAULT_PORT

HOST = "127.0.0.1"
PORT_VARIABLE = "MODELYARD_PORT"
_LARGEST_PORT = 65_535
_ANSWER_SECONDS = 2.0


def requested_port() -> int:
    """`MODELYARD_PORT`, or 8000 where it is not set.

    Raises:
        ParameterError: it is no port.
    """
    text = os.environ.get(PORT_VARIABLE, str(DEFAULT_PORT))
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _LARGEST_PORT):
        raise ParameterError(
            f"{PORT_VARIABLE}={text}",
            expected=f"a port from 1 to {_LARGEST_PORT}",
            next_step=f"set another, or leave it out for {DEFAULT_PORT}",
        )
    return int(text)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    """Whether a server of this machine answers with 200.

    Proxy settings are passed over: they must not send the question elsewhere.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
