"""Requests to a model server on this machine: health, predictions, golden answers, speed."""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import ReleaseError

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def served_hash(address: Address, timeout: float = _TIMEOUT_SECONDS) -> str | None:
    """Hash of the bundle that answers at `address`; None when nothing ready answers."""
    try:
        status, answer = _call(address, "GET", "/health/ready", timeout=timeout)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return str(answer["hash"]) if status == http.client.OK and "hash" in answer else None


def predict(address: Address, text: str) -> dict[str, Any]:
    """The server's answer for one text.

    Raises:
        ReleaseError: no answer, or one that is not 200.
    """
    try:
        status, answer = _call(address, "POST", "/predict", body={"text": text})
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unanswered(address, f"no answer ({error!r})") from error
    if status != http.client.OK:
        raise _unanswered(address, f"status {status}: {answer}")
    prediction: dict[str, Any] = answer["predictions"][0]
    return prediction


def check_answers(
    address: Address, golden: Sequence[Mapping[str, Any]], tolerance: float
) -> list[str]:
    """One sentence for each golden request that the server answers otherwise.

    Args:
        address: where the server listens.
        golden: `text`, `label`, `probabilities` of each request.
        tolerance: largest absolute difference of a probability.
    """
    return [
        f"golden request {number}: {answer}, expected {dict(request['probabilities'])}"
        for number, request in enumerate(golden, start=1)
        if not _agrees(answer := predict(address, request["text"]), request, tolerance)
    ]


def p95_ms(address: Address, texts: Sequence[str], *, rounds: int, requests: int) -> float:
    """95th percentile of the time of a request over HTTP, milliseconds: the best of `rounds`.

    The best, because other work on the machine can only add time, and a release must not depend
    on what else runs.
    """
    return min(_round_p95(address, texts, requests) for _ in range(rounds))


def _round_p95(address: Address, texts: Sequence[str], requests: int) -> float:
    times = []
    for number in range(requests):
        started = time.perf_counter()
        predict(address, texts[number % len(texts)])
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times)[min(requests - 1, int(0.95 * requests))]


def _agrees(answer: Mapping[str, Any], request: Mapping[str, Any], tolerance: float) -> bool:
    got, expected = answer.get("probabilities", {}), request["probabilities"]
    # `<=` is false for NaN, so a broken model cannot pass.
    return (
        answer.get("label") == request["label"]
        and got.keys() == expected.keys()
        and all(abs(got[label] - expected[label]) <= tolerance for label in expected)
    )


def _call(
    address: Address,
    method: str,
    path: str,
    *,
    body: Any = None,
    timeout: float = _TIMEOUT_SECONDS,
) -> tuple[int, dict[str, Any]]:
    # http.client knows no proxy settings: a request to this machine never leaves it.
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, answer if isinstance(answer, dict) else {"answer": answer}
    finally:
        connection.close()


def _unanswered(address: Address, got: str) -> ReleaseError:
    return ReleaseError(
        f"{address.url}/predict gave {got}",
        expected="an answer with label and probabilities",
        next_step="read logs/ in the product's folder below .modelyard/products/ for what the server said",
    )
