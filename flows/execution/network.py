"""Ports of this machine: the requested one, a free one, and servers that answer or are waited for."""

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.progress import say
from pipeline.release.server_process import DEFAULT_PORT

HOST = "127.0.0.1"
PORT_VARIABLE = "MODELYARD_PORT"
_LARGEST_PORT = 65_535
_ANSWER_SECONDS = 2.0
_START_SECONDS = 300.0  # a busy machine, a new database
_SPEAK_SECONDS = 10.0


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


def wait_until_answers(
    url: str, name: str, *, alive: Callable[[], bool], log: Path, speak: Callable[[str], None] = say
) -> None:
    """Waits until a service that was started answers; says every ten seconds that it waits.

    Raises:
        PipelineError: it ended, or does not answer within five minutes: we see whether it is alive.
    """
    started = spoke = time.monotonic()
    while not answers(url):
        now = time.monotonic()
        if not alive() or now - started > _START_SECONDS:
            raise PipelineError(
                f"{name} did not start",
                expected=f"an answer at {url} within {_START_SECONDS:.0f} s",
                next_step=f"mend what {log} names, then run the same command again",
            )
        if now - spoke > _SPEAK_SECONDS:
            spoke = now
            speak(f"{name} is still starting ({now - started:.0f} s)")
        time.sleep(0.1)
