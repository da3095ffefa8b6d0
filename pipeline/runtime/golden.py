"""Golden requests: the answers a model gave where it was built, and the comparison with answers given here.

Imports neither ONNX Runtime nor a tokenizer, so that a release can compare answers over HTTP.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.decision import HALF
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.runtime.task import Prediction, Request, Task


@dataclass(frozen=True, kw_only=True)
class GoldenRequest:
    """A request and the answer that is expected to it."""

    request: Request
    answer: Prediction

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "GoldenRequest":
        """Reads what `as_dict` wrote.

        Raises:
            MismatchError: it is no object, or a key is unknown or of another type.
        """
        if not isinstance(value, Mapping):
            raise MismatchError(f"{value!r} as a golden request")
        texts = {key: value[key] for key in ("text", "second") if key in value}
        answer = {key: held for key, held in value.items() if key not in texts}
        asked = read_as(_Texts, texts)
        request = asked.text if asked.second is None else (asked.text, asked.second)
        return cls(request=request, answer=read_as(Prediction, answer))

    def as_dict(self) -> dict[str, Any]:
        """For `bundle.json`: `text`, `second` of a pair, and the keys of the answer."""
        texts = (self.request,) if isinstance(self.request, str) else self.request
        return dict(zip(("text", "second"), texts, strict=False)) | self.answer.as_dict()


@dataclass(frozen=True, kw_only=True)
class _Texts:
    text: str
    second: str | None = None


def differences(
    found: Prediction, expected: Prediction, *, task: Task, tolerance: float
) -> list[str]:
    """Describes how an answer differs from the expected one; empty when they agree.

    Args:
        tolerance: largest absolute difference of a probability, or of the number.
    """
    if expected.value is not None:
        agrees = found.value is not None and _is_close(found.value, expected.value, tolerance)
        wanted = f"{expected.value} ± {tolerance:g}"
        return [] if agrees else [f"value is {found.value}, expected {wanted}"]
    if found.label != expected.label:
        return [f"label {found.label!r}, expected {expected.label!r}"]
    probabilities, wanted_ones = found.probabilities or {}, expected.probabilities or {}
    if wanted_ones.keys() != probabilities.keys():
        return [f"labels {sorted(probabilities)}, expected {sorted(wanted_ones)}"]
    apart = [
        f"probability of {label!r} is {probabilities[label]:.6f}, expected {value:.6f} ± {tolerance:g}"
        for label, value in wanted_ones.items()
        if not _is_close(probabilities[label], value, tolerance)
    ]
    return apart or _different_labels(found, expected, task=task, tolerance=tolerance)


def _different_labels(
    found: Prediction, expected: Prediction, *, task: Task, tolerance: float
) -> list[str]:
    """Describes other labels of a multi-label answer.

    A label whose probability lies within `tolerance` of its threshold may be in one answer alone.
    """
    if expected.labels is None or expected.probabilities is None:
        return []
    thresholds = task.decision.thresholds or (HALF,) * len(task.labels)
    threshold_of = dict(zip(task.labels, thresholds, strict=True))
    for label in set(found.labels or []) ^ set(expected.labels):
        if not _is_close(expected.probabilities[label], threshold_of[label], tolerance):
            return [f"labels {found.labels}, expected {expected.labels}"]
    return []


def _is_close(value: float, expected: float, tolerance: float) -> bool:
    # NaN compares false with everything: it must count as a difference.
    return math.isfinite(value) and abs(value - expected) <= tolerance
