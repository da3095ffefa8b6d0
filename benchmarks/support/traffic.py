"""Texts as a product's callers send them, and the bytes of a request with them."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.reviews import whole_reviews
from benchmarks.support.texts import exact_texts
from pipeline.core.errors import DataError
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.reader import open_tokenizer

SHORT_TOKENS, LONG_TOKENS = 32, 128
LARGE_TEXTS = 64
"""Texts of a large request."""
_EXACT = 32
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The texts of a benchmark.

    Attributes:
        mixed: as long as they come, in random order.
        short, long: cut from them to `SHORT_TOKENS` and `LONG_TOKENS` of the model's tokens, special ones included.
    """

    mixed: Sequence[str]
    short: Sequence[str]
    long: Sequence[str]


def read_traffic(bundle: Path, texts: Path | None) -> Traffic:
    """The texts in a file, one a line; without one, the sentences that the demonstration product reads.

    Raises:
        DataError: the bundle does not classify single texts, or they are too few.
    """
    opened = open_bundle(bundle)
    task = opened.task
    if task.pairs or task.problem != "classification" or task.max_length < LONG_TOKENS:
        raise DataError(
            f"a bundle of {task.problem}{' of pairs' if task.pairs else ''}, {task.max_length} tokens",
            expected=f"one that classifies single texts of {LONG_TOKENS} tokens, which all peers can",
            next_step="give another --bundle",
        )
    found = _lines(texts) if texts else [text for text, _ in whole_reviews("rotten_tomatoes")]
    random.Random(_SEED).shuffle(found)  # noqa: S311 - an order, no secret
    tokenizer = open_tokenizer(opened.tokenizer)

    def of(tokens: int) -> list[str]:
        return exact_texts(
            found,
            tokens=tokens,
            count=_EXACT,
            length_of=lambda text: len(tokenizer.encode(text).ids),
        )

    return Traffic(mixed=found, short=of(SHORT_TOKENS), long=of(LONG_TOKENS))


def _lines(file: Path) -> list[str]:
    found = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not found:
        raise DataError(
            f"{file} without a text", expected="a text a line", next_step="give another --texts"
        )
    return found


def post(path: str, body: object, headers: Mapping[str, str] | None = None) -> bytes:
    """A request of HTTP/1.1 with a body of JSON."""
    content = json.dumps(body, ensure_ascii=False).encode()
    lines = {"Content-Type": "application/json", **(headers or {})}
    return _head("POST", path, {**lines, "Content-Length": str(len(content))}) + content


def get(path: str) -> bytes:
    """A request of HTTP/1.1 without a body."""
    return _head("GET", path, {})


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def large_requests(long: Sequence[str]) -> list[bytes]:
    """Requests to our server of `LARGE_TEXTS` long texts each, no two alike."""
    count = len(long)
    return [
        post("/predict", {"texts": [long[(at + first) % count] for at in range(LARGE_TEXTS)]})
        for first in range(count)
    ]
