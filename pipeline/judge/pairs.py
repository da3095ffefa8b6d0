"""Compares the answers of champion and candidate to one request, without keeping any of its text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.problem.prediction import Prediction

STREAMS = ("error", "slower", "other label", "less sure")
"""What is compared, in the order of a pair's outcomes."""
SLOWER_FACTOR = 1.5
"""How many times as long as the other model's the time of a model is, to be over the limit."""
CONFIDENCE_STEP = 0.05
"""How much lower than the other model's a probability is, to count as less sure."""
VALUE_STEP = 0.05
"""The share of a number's scale by which two answers may differ and still count as the same."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How one model answered: the prediction, None where it failed, and the milliseconds it took."""

    prediction: Prediction | None
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The answers of champion and candidate, in that order, to one text; nothing of the text itself.

    Attributes:
        failed: whether each failed.
        milliseconds: the time that each took.
        same_label: whether the answers are the same; None where one failed.
        confidence: how sure each is, 0.5 or less to 1; None where one failed, or the answer is a number.
    """

    failed: tuple[bool, bool]
    milliseconds: tuple[float, float]
    same_label: bool | None
    confidence: tuple[float, float] | None

    def outcomes(self) -> list[int | None]:
        """1 where the candidate is worse, -1 where the champion is, else 0, by `STREAMS`.

        None where there is nothing to compare.
        """
        failure = int(self.failed[1]) - int(self.failed[0])
        if self.same_label is None:
            return [failure, None, None, None]
        slower = int(sign_of_slower(*self.milliseconds))
        unsure = None if self.confidence is None else int(sign_of_less_sure(*self.confidence))
        return [failure, slower, int(not self.same_label), unsure]


def compare(
    champion: Answered, candidate: Answered, *, scale: tuple[float, float] | None = None
) -> Pair:
    """The comparison of two answers to one text.

    Args:
        scale: lowest and highest number, where the answer is a number.
    """
    first, second = champion.prediction, candidate.prediction
    same = confidence = None
    if first is not None and second is not None:
        same = _is_same(first, second, scale)
        sure = _confidence(first), _confidence(second)
        confidence = None if sure[0] is None or sure[1] is None else (sure[0], sure[1])
    return Pair(
        failed=(first is None, second is None),
        milliseconds=(round(champion.milliseconds, 3), round(candidate.milliseconds, 3)),
        same_label=same,
        confidence=confidence,
    )


def sign_of_slower(champion: Any, candidate: Any) -> npt.NDArray[np.int64]:
    """1 where the candidate's time is over `SLOWER_FACTOR` times the champion's, -1 the other way round.

    If both are equally fast, either is as likely, whatever the noise: hence the mean is 0.
    """
    later = np.greater(candidate, SLOWER_FACTOR * np.asarray(champion)).astype(np.int64)
    sooner = np.greater(champion, SLOWER_FACTOR * np.asarray(candidate)).astype(np.int64)
    return np.asarray(later - sooner)


def sign_of_less_sure(champion: Any, candidate: Any) -> npt.NDArray[np.int64]:
    """1 where the candidate is less sure by `CONFIDENCE_STEP`, -1 where the champion is, else 0."""
    gap = np.subtract(champion, candidate)
    lower = np.greater(gap, CONFIDENCE_STEP).astype(np.int64)
    higher = np.less(gap, -CONFIDENCE_STEP).astype(np.int64)
    return np.asarray(lower - higher)


def _is_same(first: Prediction, second: Prediction, scale: tuple[float, float] | None) -> bool:
    if first.value is not None and second.value is not None and scale is not None:
        return abs(first.value - second.value) <= VALUE_STEP * (scale[1] - scale[0])
    return (first.label, set(first.labels or ())) == (second.label, set(second.labels or ()))


def _confidence(prediction: Prediction) -> float | None:
    """How sure an answer is: its label's probability, or the mean over several labels."""
    if prediction.probabilities is None:
        return None
    if prediction.probability is not None:
        return round(prediction.probability, 6)
    sure = [max(value, 1 - value) for value in prediction.probabilities.values()]
    return round(sum(sure) / len(sure), 6)
