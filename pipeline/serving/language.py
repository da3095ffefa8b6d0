"""The language model's routes: POST /language/{cost,next,fill,embeddings} with {"text": ".."}.

cost        the cost of each token and of the whole text, in bits
next        the likeliest words after the text
fill        the words that fit the blank ___ in the text
embeddings  every layer's states of each token
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.runtime.language_model import LanguageModel, TextCost, Word
from pipeline.serving.admission import Admission
from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.protocol import ProtocolError, failed, json_response, read_texts

_BLANK = "___"
_LOGGER = logging.getLogger("modelyard.server")


@dataclass(frozen=True, kw_only=True)
class CandidateWords:
    """Candidate words, best first."""

    words: list[Word]


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Tokens and their states, `(layers + 1, tokens, width)`, rounded to four digits."""

    tokens: list[str]
    layers: list[list[list[float]]]


Answer = Callable[[LanguageModel, str], TextCost | CandidateWords | Embeddings]


def cost(model: LanguageModel, text: str) -> TextCost:
    """The cost of each token and of the whole text, in bits."""
    return model.cost(text)


def next_words(model: LanguageModel, text: str) -> CandidateWords:
    """The likeliest words after the text."""
    return CandidateWords(words=model.next_words(text))


def fill(model: LanguageModel, text: str) -> CandidateWords:
    """The words that fit the blank.

    Raises:
        ProtocolError: 422, the text has no blank, or several.
    """
    if text.count(_BLANK) != 1:
        raise ProtocolError(
            422,
            got=f"a text with {text.count(_BLANK)} blanks",
            expected=f"one blank, written {_BLANK}",
            next_step=f'send for example {{"text": "a {_BLANK} film"}}',
        )
    return CandidateWords(words=model.fill(text, blank=_BLANK))


def embeddings(model: LanguageModel, text: str) -> Embeddings:
    """Every layer's states of each token."""
    tokens, states = model.embeddings(text)
    return Embeddings(tokens=tokens, layers=states.round(4).tolist())


def language_routes(current: Callable[[], ServedModel], admission: Admission) -> list[Route]:
    """The four routes; `current` gives the model that serves, or raises."""
    answers: dict[str, Answer] = {
        "cost": cost,
        "next": next_words,
        "fill": fill,
        "embeddings": embeddings,
    }
    return [
        Route(
            f"/language/{name}",
            partial(_respond, current=current, admission=admission, answer=answer),
            methods=["POST"],
        )
        for name, answer in answers.items()
    ]


async def _respond(
    request: Request, *, current: Callable[[], ServedModel], admission: Admission, answer: Answer
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
        return json_response(await admission.run(partial(_body, model, answer, text=texts[0])))
    except ProtocolError:
        raise
    # The message could hold the text, which must not reach the log, so only the type is logged.
    except Exception as error:
        _LOGGER.error("the language model failed: %s", type(error).__name__)
        raise failed() from None


def _body(model: ServedModel, answer: Answer, *, text: str) -> dict[str, Any]:
    """The answer's fields, the model's family and the milliseconds that the answer took."""
    language_model = model.language_model
    if language_model is None:
        raise ProtocolError(
            404,
            got="a bundle without a language model",
            expected="a bundle that was built with one",
            next_step="build and release again with `make pipeline`",
        )
    start = time.perf_counter()
    fields = vars(answer(language_model, text))
    milliseconds = round(1000 * (time.perf_counter() - start), 3)
    return {**fields, "family": language_model.family, "milliseconds": milliseconds}
