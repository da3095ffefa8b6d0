"""The files in which a browser finds the model: weights, tokenizer, tables of characters, and model.json.

`model.json` says what pipeline/runtime knows from `bundle.json` and from the tokenizer.
"""

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from pipeline.core.errors import unusable
from pipeline.edge.character_tables import python_characters
from pipeline.edge.word_tables import word_parts
from pipeline.problem.prediction import Prediction
from pipeline.runtime.bundle import MODEL, MODEL_CARD, TOKENIZER, Bundle
from pipeline.runtime.reader import MAX_WINDOWS, open_tokenizer
from pipeline.runtime.task import Request

KNOWN_CLEANING = 3
"""The newest rules of cleaning that static/text_cleaning.js has."""
DESCRIPTION = "model.json"


def model_files(bundle: Bundle) -> dict[str, bytes]:
    """File → its bytes.

    Raises:
        ArtifactError: the bundle is cleaned by rules that the browser does not have, or its tokenizer
            frames a text as no row of it can be made.
    """
    if bundle.task.cleaning > KNOWN_CLEANING:
        raise unusable(
            f"a bundle whose texts are cleaned by rules {bundle.task.cleaning}",
            expected=f"at most rules {KNOWN_CLEANING}, which the browser has",
        )
    tokenizer = open_tokenizer(bundle.tokenizer)
    return {
        MODEL: bundle.model.content,
        TOKENIZER: bundle.tokenizer.content,
        MODEL_CARD: bundle.model_card.encode(),
        "characters.json": _json(python_characters()),
        DESCRIPTION: _json(described(bundle, tokenizer)),
    }


def described(bundle: Bundle, tokenizer: Tokenizer) -> dict[str, Any]:
    """The content of model.json; its keys are those of bundle.json where they mean the same."""
    task, description = bundle.task, bundle.description
    examples: Sequence[Request] = description.examples
    return {
        "product": description.product,
        "variant": description.variant,
        "hash": bundle.hash,
        "size_bytes": description.size_bytes,
        "problem": task.problem,
        "labels": list(task.labels),
        "pairs": task.pairs,
        "max_length": task.max_length,
        "window_stride": task.window_stride,
        "max_windows": MAX_WINDOWS,
        "cleaning": task.cleaning,
        "decision": task.decision.as_dict(),
        "examples": [texts_of(example) for example in examples],
        "golden": [
            {"texts": texts_of(golden.request), **_expected(golden.answer, task.labels)}
            for golden in description.golden
        ],
        "golden_tolerance": description.golden_tolerance,
        "frame": frame_of(tokenizer, pairs=task.pairs),
        "words": word_parts(tokenizer),
    }


def texts_of(request: Request) -> list[str]:
    """The text, or both texts of a pair, as a list."""
    return [request] if isinstance(request, str) else list(request)


def scores_of(answer: Prediction) -> list[float]:
    """The probabilities as the answer lists them, or the number."""
    if answer.probabilities is not None:
        return list(answer.probabilities.values())
    return [] if answer.value is None else [answer.value]


def frame_of(tokenizer: Tokenizer, *, pairs: bool) -> dict[str, Any]:
    """The special tokens around a text, or around the two of a pair, found by trying.

    Keys: `ids` and `segments`, a list before the first text, one between each two and one after the last;
    `own`, the segment of each text's tokens.
    """
    tried = next((text for text in ("a", "1", ".", "가") if _length(tokenizer, text)), None)
    if tried is None:
        raise unusable("a tokenizer that reads no token in `a`", expected="one of texts")
    encoding = tokenizer.encode(tried, tried if pairs else None)
    texts = range(1 + pairs)
    places = [[at for at, text in enumerate(encoding.sequence_ids) if text == n] for n in texts]
    starts = [0, *(place[-1] + 1 for place in places)]
    ends = [*(place[0] for place in places), len(encoding.ids)]
    gaps = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    return {
        "ids": [encoding.ids[gap] for gap in gaps],
        "segments": [encoding.type_ids[gap] for gap in gaps],
        "own": [encoding.type_ids[place[0]] for place in places],
    }


def _length(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def _expected(answer: Prediction, labels: Sequence[str]) -> dict[str, Any]:
    """The answer that a golden request must get; its file has the labels in the order of the alphabet."""
    shares = answer.probabilities
    scores = scores_of(answer) if shares is None else [shares[label] for label in labels]
    return {"label": answer.label, "scores": scores}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
