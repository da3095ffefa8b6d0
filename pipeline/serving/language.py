"""The language model's routes: POST /language/{cost,next,fill,embeddings} with {"text": ".."}.

cost        the cost of each token and of the whole text, in bits
next        the likeliest words after the text
fill        the words that fit the blank ___ in the text
embeddings  every layer's states of each token

They wait behind every text for /predict of their age, and run in parts, between which such texts run.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.runtime.language_model import LanguageModel, Runs
from pipeline.serving.deadlines import DEADLINE, deadline_seconds
from pipeline.serving.hot_swap import ServedLanguageModel, ServedModel
from pipeline.serving.job import Job, Work
from pipeline.serving.left import on_leaving
from pipeline.serving.protocol import ProtocolError, read_requests
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.text_route import ANSWER_HEADERS

_BLANK = "___"
_CHARACTERS_A_TOKEN = 4
_LISTED_MS = 20.0
"""The time that writing down all states of a text may take."""


@dataclass(frozen=True)
class _Kind:
    """One of the routes.

    Attributes:
        runs: the runs for a text.
        shown: the part of the answer that they found.
        expected: how many runs a text of so many tokens takes, about.
        listed: milliseconds that writing the answer takes at most.
    """

    runs: Callable[[LanguageModel, str], Runs[Any]]
    shown: Callable[[Any], Mapping[str, object]]
    expected: Callable[[LanguageModel, int], int]
    listed: float = 0.0


def _states(found: Any) -> Mapping[str, object]:
    """Tokens and their states, `(layers + 1, tokens, width)`, rounded to four digits.

    A layer at a time, so that the interpreter is not held for long.
    """
    tokens, states = found
    layers = [orjson.dumps(layer.round(4), option=orjson.OPT_SERIALIZE_NUMPY) for layer in states]
    return {"tokens": tokens, "layers": [orjson.Fragment(layer) for layer in layers]}


_KINDS: Mapping[str, _Kind] = {
    "cost": _Kind(
        lambda model, text: model.cost_runs(text),
        vars,
        lambda model, tokens: tokens if model.family == "bert" else 2,
    ),
    "next": _Kind(
        lambda model, text: model.next_words_runs(text),
        lambda found: {"words": found},
        lambda model, tokens: 32,
    ),
    "fill": _Kind(
        lambda model, text: model.fill_runs(text, blank=_BLANK),
        lambda found: {"words": found},
        lambda model, tokens: 2,
    ),
    "embeddings": _Kind(
        lambda model, text: model.embeddings_runs(text),
        _states,
        lambda model, tokens: 1,
        listed=_LISTED_MS,
    ),
}


def language_routes(current: Callable[[Request], ServedModel], scheduler: Scheduler) -> list[Route]:
    """The four routes; `current` gives the model that answers a request, or raises."""

    async def respond(request: Request, kind: _Kind) -> Response:
        deadline = time.perf_counter() + deadline_seconds(request.headers.get(DEADLINE, ""))
        scheduler.check_room(deadline)
        text = _one_text(await read_requests(request))
        model = current(request)
        if model.language_model is None:
            raise ProtocolError(
                404,
                got="a bundle without a language model",
                expected="a bundle that was built with one",
                next_step="build and release again with `make pipeline`",
            )
        job = _job(model.language_model, text, kind=kind, deadline=deadline)
        on_leaving(request.scope, partial(scheduler.cancel, job))
        response = Response(await scheduler.run(job))
        response.raw_headers += ANSWER_HEADERS
        return response

    return [
        Route(f"/language/{name}", partial(respond, kind=kind), methods=["POST"])
        for name, kind in _KINDS.items()
    ]


def _one_text(requests: list[Any]) -> str:
    if len(requests) == 1 and isinstance(requests[0], str):
        return requests[0]
    raise ProtocolError(
        422, got="several texts, or a pair", expected="one text", next_step='send {"text": ".."}'
    )


def _job(served: ServedLanguageModel, text: str, *, kind: _Kind, deadline: float) -> Job:
    model = served.model
    tokens = min(model.max_length, len(text) // _CHARACTERS_A_TOKEN + 2)
    run = served.run_times.of(tokens)
    remaining = run * kind.expected(model, tokens) + kind.listed
    return Job(
        _work(model, text, kind=kind, run=run),
        ended=lambda _: None,
        arrived=time.perf_counter(),
        deadline=deadline,
        remaining=remaining,
        longest_run=remaining,  # a run of many rows takes as long as they do together
        language=True,
    )


def _work(model: LanguageModel, text: str, *, kind: _Kind, run: float) -> Work:
    """Does the runs; returns the bytes of the answer. `run`: milliseconds of one."""
    runs, spent = kind.runs(model, text), 0.0
    while True:
        start = time.perf_counter()
        try:
            left = next(runs)
        except StopIteration as end:
            found = kind.shown(end.value)
            break
        finally:
            spent += 1000 * (time.perf_counter() - start)
        yield left * run + kind.listed
    return orjson.dumps({**found, "family": model.family, "milliseconds": round(spent, 3)})
