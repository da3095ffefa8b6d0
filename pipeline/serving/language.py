"""The language model's routes: POST /language/{cost,next,fill,embeddings} with {"text": ".."}.

cost        the cost of each token and of the whole text, in bits
next        the likeliest words after the text
fill        the words that fit the blank ___ in the text
embeddings  every layer's states of each token
"""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.runtime.language_model import LanguageModel
from pipeline.serving.admission import Admission
from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.protocol import ProtocolError, read_requests
from pipeline.web.json_answers import json_response

_BLANK = "___"
Answer = Callable[[LanguageModel, str], Mapping[str, object]]


def _embeddings(model: LanguageModel, text: str) -> Mapping[str, object]:
    """Tokens and their states, `(layers + 1, tokens, width)`, rounded to four digits."""
    tokens, states = model.embeddings(text)
    return {"tokens": tokens, "layers": states.round(4).tolist()}


_ANSWERS: Mapping[str, Answer] = {
    "cost": lambda model, text: vars(model.cost(text)),
    "next": lambda model, text: {"words": model.next_words(text)},
    "fill": lambda model, text: {"words": model.fill(text, blank=_BLANK)},
    "embeddings": _embeddings,
}


def language_routes(current: Callable[[], ServedModel], admission: Admission) -> list[Route]:
    """The four routes; `current` gives the model that serves, or raises."""

    async def respond(request: Request, answer: Answer) -> Response:
        requests = await read_requests(request)
        text = requests[0]
        if len(requests) != 1 or not isinstance(text, str):
            raise ProtocolError(
                422,
                got="several texts, or a pair",
                expected="one text",
                next_step='send {"text": ".."}',
            )
        # The model is loaded on first use, which is no part of the time of an answer.
        served = current()
        model, _ = await admission.compute(lambda: served.language_model)
        if model is None:
            raise ProtocolError(
                404,
                got="a bundle without a language model",
                expected="a bundle that was built with one",
                next_step="build and release again with `make pipeline`",
            )
        found, milliseconds = await admission.compute(partial(answer, model, text))
        return json_response({**found, "family": model.family, "milliseconds": milliseconds})

    return [
        Route(f"/language/{name}", partial(respond, answer=answer), methods=["POST"])
        for name, answer in _ANSWERS.items()
    ]
