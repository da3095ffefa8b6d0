"""The answer to one request, for every kind of problem."""

from dataclasses import dataclass
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
        answer = {
            "label": self.label,
            "probability": self.probability,
            "labels": self.labels,
            "probabilities": self.probabilities,
            "value": self.value,
        }
        flags = {"abstained": self.abstained, "truncated": self.truncated}
        return {key: value for key, value in answer.items() if value is not None} | {
            key: True for key, value in flags.items() if value
        }
