"""Requests to a model server on this machine: health, predictions, golden answers, latency."""

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.access_token import TOKEN_VARIABLE, access_token
from pipeline.core.errors import ReleaseError
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The state of a server, as it says itself.

    Attributes:
        hash: of the bundle that it serves; None while it has none.
        since: when it began to serve that; None where the server does not say.
        last_error: why it refused the latest bundle; None if it did not.
    """

    hash: str | None
    since: str | None
    last_error: str | None


def readiness(address: Address, timeout: float = _TIMEOUT_SECONDS) -> Readiness | None:
    """The state of the server at `address`; None where none answers.

    Raises:
        ReleaseError: the server there asks for another token than this process was given.
    """
    try:
        status, answer = _call(address, "GET", "/health/ready", timeout=timeout)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    if answer in ({"status": "ready"}, {"status": "waiting"}):
        raise _other_token(address)
    ready = status == http.client.OK
    return Readiness(
        hash=answer.get("hash") if ready else None,
        since=answer.get("since"),
        last_error=answer.get("last_error"),
    )


def served_hash(address: Address, timeout: float = _TIMEOUT_SECONDS) -> str | None:
    """The hash of the bundle that is served at `address`; None when no server is ready there.

    Raises:
        ReleaseError: the server there asks for another token than this process was given.
    """
    ready = readiness(address, timeout)
    return None if ready is None else ready.hash


def accepts(address: Address) -> bool:
    """Whether anything takes connections at `address`."""
    try:
        socket.create_connection((address.host, address.port), timeout=1.0).close()
    except OSError:
        return False
    return True


def predict(address: Address, request: Request) -> Prediction:
    """The server's answer to one text or pair.

    Raises:
        ReleaseError: no answer, or one that is not 200.
    """
    texts = (request,) if isinstance(request, str) else request
    body = dict(zip(("text", "second"), texts, strict=False))
    try:
        status, answer = _call(address, "POST", "/predict", body=body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _no_answer(address, f"no answer ({error!r})") from error
    if status == http.client.UNAUTHORIZED:
        raise _other_token(address)
    if status != http.client.OK:
        raise _no_answer(address, f"status {status}: {answer}")
    try:
        return read_as(Prediction, answer["predictions"][0])
    except (MismatchError, LookupError, TypeError) as error:
        raise _no_answer(address, f"an answer of another shape ({error})") from error


def p95_ms(address: Address, examples: Sequence[Request], *, rounds: int, requests: int) -> float:
    """The 95th percentile of a request's time over HTTP, milliseconds, the lowest of `rounds`.

    The lowest, because other work on the machine can only add time, and a release must not depend
    on it.
    """

    def seconds(request: Request) -> float:
        started = time.perf_counter()
        predict(address, request)
        return time.perf_counter() - started

    place = min(requests - 1, int(0.95 * requests))
    every = [examples[number % len(examples)] for number in range(requests)]
    return 1000 * min(sorted(map(seconds, every))[place] for _ in range(rounds))


def _call(
    address: Address, method: str, path: str, *, body: Any = None, timeout: float = _TIMEOUT_SECONDS
) -> tuple[int, dict[str, Any]]:
    # http.client ignores proxy settings, so a request to this machine never leaves it.
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
    with contextlib.closing(connection):
        payload = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        if (token := access_token(os.environ)) is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, body=payload, headers=headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, answer if isinstance(answer, dict) else {"answer": answer}


def _other_token(address: Address) -> ReleaseError:
    return ReleaseError(
        f"{address.url} asks for another token than {TOKEN_VARIABLE} says here",
        expected="the token that this server was started with",
        next_step=f"set {TOKEN_VARIABLE} as it was then; or `make stop`, then `make serve`",
    )


def _no_answer(address: Address, got: str) -> ReleaseError:
    return ReleaseError(
        f"{address.url}/predict gave {got}",
        expected="an answer",
        next_step="read the server's log in .modelyard/products/<name>/logs/",
    )
