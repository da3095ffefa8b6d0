"""Bits: what the tokens of a text cost under the logits of a language model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TokenCost:
    """What one token costs.

    Attributes:
        text: the token as it stands in the text; several that are parts of one character are told as
            one; empty for the end.
        bits: −log₂ of its probability from the left (bilm), or of its score in its place (bert).
        backward_bits: from the right; None for a masked model.
    """

    text: str
    bits: float
    backward_bits: float | None


def by_piece(
    text: str, spans: Sequence[tuple[int, int]], bits: Floats, backward: Floats | None
) -> list[TokenCost]:
    """Costs by what is seen of them: tokens that are parts of one character are one."""
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
    """Natural logarithms of probabilities, of the shape of `logits`."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def softmax(logits: npt.NDArray[np.float32] | Floats) -> Floats:
    """Probabilities, of the shape of `logits`."""
    result: Floats = np.exp(log_softmax(logits.astype(np.float32)))
    return result


def bits_of(logits: npt.NDArray[np.float32], targets: Sequence[int]) -> Floats:
    """−log₂ of the probability of each target, `(places,)`."""
    chosen = np.take_along_axis(log_softmax(logits), np.array(targets)[:, None], axis=-1)
    result: Floats = -chosen[:, 0] / np.log(2)
    return result
