"""An engine's turn: it answers texts, or is timed while it does. The standard library is all it needs.

Peers import this in environments of their own, where nothing of the project is installed.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

Answer = Callable[[str], int]
"""A text to the number of its label, the tokenizer included."""


@dataclass(frozen=True)
class Turn:
    """One request to an engine: texts, and how many answers to time.

    Attributes:
        texts: asked one by one, and again from the first.
        requests: how many are timed; None asks for the answer to each text once, untimed.
        warm_up: requests before those, which do not count: weights have left the cache while others ran.
    """

    texts: Sequence[str]
    requests: int | None = None
    warm_up: int = 0


Take = Callable[[Turn], list[float]]


def take_turn(answer: Answer, turn: Turn) -> list[float]:
    """Label numbers of the texts, or the milliseconds of each request."""
    if turn.requests is None:
        return [float(answer(text)) for text in turn.texts]
    taken = []
    for number in range(turn.warm_up + turn.requests):
        text = turn.texts[number % len(turn.texts)]
        started = time.perf_counter_ns()
        answer(text)
        taken.append((time.perf_counter_ns() - started) / 1e6)
    return taken[turn.warm_up :]


def to_line(turn: Turn) -> str:
    """A turn as one line of JSON."""
    return json.dumps(asdict(turn)) + "\n"


def serve_turns(answer: Answer) -> None:
    """Take the turns that come as lines on standard input, until it ends."""
    for line in sys.stdin:
        print(json.dumps(take_turn(answer, Turn(**json.loads(line)))), flush=True)
