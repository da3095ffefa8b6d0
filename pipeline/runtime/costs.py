"""The cost of a text's tokens in bits under a language model's logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TokenCost:
    """The cost of one token.

    Attributes:
        text: the token as the text has it; tokens that are parts of one character count as one
            token; empty for the end of the text.
        bits: −log₂ of its probability given the text to its left (bilm), or of its score given the
            text on both sides (bert).
        backward_bits: −log₂ of its probability given the text to its right; None for a masked
            model.
    """

    text: str
    bits: float
    backward_bits: float | None


def by_piece(
    text: str, spans: Sequence[tuple[int, int]], *, bits: Floats, backward: Floats | None
) -> list[TokenCost]:
    """One cost for each visible piece of `text`; tokens of one character are added up."""
    costs: list[TokenCost] = []
    reached = 0
    for place, (start, end) in enumerate(spans):
        own = None if backward is None else float(backward[place])
        if costs and start < reached:
            last = costs.pop()
            both = None if own is None or last.backward_bits is None else last.backward_bits + own
            joined = text[reached - len(last.text) : max(end, reached)]
            costs.append(TokenCost(joined, last.bits + float(bits[place]), both))
        else:
            costs.append(TokenCost(text[start:end], float(bits[place]), own))
        reached = max(reached, end)
    return costs


def log_softmax(logits: npt.NDArray[np.float32]) -> Floats:
    """Natural logarithms of the probabilities, in the shape of `logits`."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def softmax(logits: npt.NDArray[np.float32] | Floats) -> Floats:
    """Probabilities over the last axis, in the shape of `logits`."""
    result: Floats = np.exp(log_softmax(logits.astype(np.float32)))
    return result


def bits_of(logits: npt.NDArray[np.float32], targets: Sequence[int]) -> Floats:
    """−log₂ of the probability of each target, `(places,)`."""
    chosen = np.take_along_axis(log_softmax(logits), np.array(targets)[:, None], axis=-1)
    result: Floats = -chosen[:, 0] / np.log(2)
    return result
