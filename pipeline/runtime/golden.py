"""Golden requests: a model's answers where it was built, to compare with its answers elsewhere.

Imports neither ONNX Runtime nor a tokenizer, so that a release can compare answers over HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.typed_json import MismatchError, read_as
from pipeline.problem.decision import HALF
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request, Task


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
    thresholds = task.decision.thresholds or (HALF,) * len(task.labels)
    threshold_of = dict(zip(task.labels, thresholds, strict=True))
    return task.kind.differences(found, expected, threshold_of=threshold_of, tolerance=tolerance)
