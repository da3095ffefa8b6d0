"""Questions to the bundle's language model: POST /language/{cost,next,fill,embeddings} with {"text": ".."}.

cost        what each token costs, in bits, and the whole text
next        the likeliest words after the text
fill        what fits the blank ___ in the text
embeddings  every layer's states of each token
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.runtime.language_model import LanguageModel
from pipeline.serving.admission import Admission
from pipeline.serving.hot_swap import Model
from pipeline.serving.protocol import ProtocolError, failed, json_response, read_texts

_BLANK = "___"
_LOGGER = logging.getLogger("modelyard.server")
Answer = Callable[[LanguageModel, str], dict[str, Any]]


def cost(model: LanguageModel, text: str) -> dict[str, Any]:
    """What each token costs, and the text."""
    found = model.cost(text)
    return {
        "tokens": [
            {"text": token.text, "bits": token.bits, "backward_bits": token.backward_bits}
            for token in found.tokens
        ],
        "bits": found.bits,
        "backward_bits": found.backward_bits,
        "is_probability": found.is_probability,
        "truncated": found.truncated,
    }


def following(model: LanguageModel, text: str) -> dict[str, Any]:
    """The likeliest next words."""
    return {"words": [_word(word.text, word.probability) for word in model.next_words(text)]}


def fill(model: LanguageModel, text: str) -> dict[str, Any]:
    """What fits the blank."""
    if text.count(_BLANK) != 1:
        raise ProtocolError(
            422,
            got=f"a text with {text.count(_BLANK)} blanks",
            expected=f"one blank, written {_BLANK}",
            next_step=f'send for example {{"text": "a {_BLANK} film"}}',
        )
    return {"words": [_word(w.text, w.probability) for w in model.fill(text, blank=_BLANK)]}


def embeddings(model: LanguageModel, text: str) -> dict[str, Any]:
    """Every layer's states, rounded to four digits."""
    tokens, states = model.embeddings(text)
    return {"tokens": tokens, "layers": states.round(4).tolist()}


def language_routes(current: Callable[[], Model], admission: Admission) -> list[Route]:
    """The four routes; `current` gives the model that serves, or raises."""
    answers = {"cost": cost, "next": following, "fill": fill, "embeddings": embeddings}
    return [
        Route(f"/language/{name}", partial(_ask, current, admission, answer), methods=["POST"])
        for name, answer in answers.items()
    ]


async def _ask(
    current: Callable[[], Model], admission: Admission, answer: Answer, request: Request
) -> Response:
    try:
        texts = await read_texts(request)
    except ClientDisconnect:
        return Response(status_code=400)
    if len(texts) != 1:
        raise ProtocolError(
            422, got=f"{len(texts)} texts", expected="one text", next_step='send {"text": ".."}'
        )
    model = current()
    try:
        body, seconds = await admission.run(partial(_timed, model, answer, texts[0]))
    except ProtocolError:
        raise
    # The message could hold the text, which must not reach the log: only its kind is written.
    except Exception as error:
        _LOGGER.error("the language model failed: %s", type(error).__name__)
        raise failed() from None
    return json_response(body | {"milliseconds": round(1000 * seconds, 3)})


def _timed(model: Model, answer: Answer, text: str) -> tuple[dict[str, Any], float]:
    language_model = model.language_model
    if language_model is None:
        raise ProtocolError(
            404,
            got="a bundle without a language model",
            expected="one that was built with it",
            next_step="build and release again with `make pipeline`",
        )
    start = time.perf_counter()
    body = answer(language_model, text)
    return body | {"family": language_model.family}, time.perf_counter() - start


def _word(text: str, probability: float) -> dict[str, Any]:
    return {"text": text, "probability": probability}
