"""The answer to one request, for every kind of problem."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """The answer to one request; a field that its problem does not have is None.

    Attributes:
        label: the chosen label (classification).
        probability: its probability, 0 to 1.
        labels: the text's labels, in the order of the model's outputs (multi_label).
        probabilities: label → probability, in the order of the model's outputs.
        value: the number (regression).
        abstained: the model is less sure than it was asked to be; its best guess is given anyway.
        truncated: the text was longer than the model reads; its end was left out.
    """

    label: str | None = None
    probability: float | None = None
    labels: list[str] | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    abstained: bool = False
    truncated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The answer for a caller; `abstained` and `truncated` only if they are true."""
        return {
            key: value
            for key, value in vars(self).items()
            if value is not None and value is not False
        }

    def differences(
        self, expected: "Prediction", *, threshold_of: Mapping[str, float], tolerance: float
    ) -> list[str]:
        """Describes how the answer differs from the expected one; empty when they agree.

        A label within `tolerance` of its threshold may be in one of two answers of several labels.

        Args:
            tolerance: largest absolute difference of a probability, or of the number.
        """
        if self.label != expected.label:
            return [f"label {self.label!r}, expected {expected.label!r}"]
        probabilities, wanted = self.probabilities or {}, expected.probabilities or {}
        if wanted.keys() != probabilities.keys():
            return [f"labels {sorted(probabilities)}, expected {sorted(wanted)}"]
        if apart := [
            f"probability of {label!r} is {probabilities[label]:.6f}, "
            f"expected {value:.6f} ± {tolerance:g}"
            for label, value in wanted.items()
            if not _is_close(probabilities[label], value, tolerance)
        ]:
            return apart
        for label in {*(self.labels or ())} ^ {*(expected.labels or ())}:
            if not _is_close(wanted[label], threshold_of[label], tolerance):
                return [f"labels {self.labels}, expected {expected.labels}"]
        if expected.value is None or _is_close(self.value, expected.value, tolerance):
            return []
        return [f"value is {self.value}, expected {expected.value} ± {tolerance:g}"]


def _is_close(value: float | None, expected: float, tolerance: float) -> bool:
    """Whether the value is finite and within the tolerance; NaN is not."""
    return value is not None and isfinite(value) and abs(value - expected) <= tolerance
