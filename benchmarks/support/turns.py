"""A turn of an engine: it answers texts, or is timed doing so. Uses only the standard library.

Peers import this file in their own environments, where the project's packages are not installed.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

Answer = Callable[[str], int]
"""From a text to the number of its label, tokenizer included."""


@dataclass(frozen=True)
class Turn:
    """The request to an engine.

    Attributes:
        texts: answered one by one, then again from the first.
        requests: number of timed requests; None answers each text once, untimed.
        warm_up: untimed requests before those, as other engines' turns have emptied the caches.
    """

    texts: Sequence[str]
    requests: int | None = None
    warm_up: int = 0


Take = Callable[[Turn], list[float]]


def take_turn(answer: Answer, turn: Turn) -> list[float]:
    """Returns the label numbers of the texts, or the milliseconds of each request."""
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
    """The turn as one line of JSON."""
    return json.dumps(asdict(turn)) + "\n"


def serve_turns(answer: Answer) -> None:
    """Takes turns from lines of standard input, until it ends."""
    for line in sys.stdin:
        print(json.dumps(take_turn(answer, Turn(**json.loads(line)))), flush=True)
