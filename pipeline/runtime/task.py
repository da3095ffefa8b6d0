"""What a model is asked, how it reads, and the shape of its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.core.decision import CLASSIFICATION, MULTI_LABEL, REGRESSION, Decision

Request = str | tuple[str, str]
"""A text, or the two texts of a pair."""


_COLUMNS = {
    CLASSIFICATION: ("label", "probability", "probabilities"),
    MULTI_LABEL: ("labels", "probabilities"),
    REGRESSION: ("value",),
}


class Asked(Protocol):
    """`product` of the parameters, of which a task is made."""

    @property
    def problem(self) -> str: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def pairs(self) -> bool: ...


class Reading(Protocol):
    """`prepare` of the parameters, of which a task is made."""

    @property
    def max_length(self) -> int: ...
    @property
    def window_stride(self) -> int | None: ...


@dataclass(frozen=True)
class Task:
    """All that a model's answers depend on but its weights and its tokenizer.

    Attributes:
        problem: classification, multi_label or regression.
        labels: names of the outputs, in order.
        pairs: whether a request is two texts.
        max_length: tokens the model reads at once, special tokens included.
        window_stride: ordinary tokens from one window of a longer text to the next; None cuts the text.
        decision: how scores become answers.
    """

    problem: str
    labels: tuple[str, ...]
    pairs: bool
    max_length: int
    window_stride: int | None
    decision: Decision

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Task":
        """What a `bundle.json` says; one of format 1 says only labels and length."""
        return cls(
            problem=described.get("problem", CLASSIFICATION),
            labels=tuple(described["labels"]),
            pairs=described.get("pairs", False),
            max_length=described["max_length"],
            window_stride=described.get("window_stride"),
            decision=Decision.of(described.get("decision")),
        )

    @classmethod
    def asked(cls, product: Asked, prepare: Reading, decision: Decision | None = None) -> "Task":
        """What the parameters ask for, by the usual decision unless one is given."""
        return cls(
            problem=product.problem,
            labels=tuple(product.labels),
            pairs=product.pairs,
            max_length=prepare.max_length,
            window_stride=prepare.window_stride,
            decision=decision or Decision(),
        )

    def as_dict(self) -> dict[str, Any]:
        """For `bundle.json`."""
        return {
            "problem": self.problem,
            "labels": list(self.labels),
            "pairs": self.pairs,
            "max_length": self.max_length,
            "window_stride": self.window_stride,
            "decision": self.decision.as_dict(),
        }


@dataclass(frozen=True)
class Prediction:
    """The answer to one request; what its problem does not have is None.

    Attributes:
        label: classification: the chosen label.
        probability: its probability, 0 to 1.
        labels: multi_label: those that hold, in the order of the model's outputs.
        probabilities: label → probability, in the order of the model's outputs.
        value: regression: the number.
        abstained: the model is less sure than it was asked to be; what it would say is told all the same.
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
        """What a caller is told: the answer, and `abstained` and `truncated` where they hold."""
        told = {
            "label": self.label,
            "probability": self.probability,
            "labels": self.labels,
            "probabilities": self.probabilities,
            "value": self.value,
        }
        flags = {"abstained": self.abstained, "truncated": self.truncated}
        return {key: value for key, value in told.items() if value is not None} | {
            key: True for key, value in flags.items() if value
        }


def columns_of(task: Task, predictions: Sequence[Prediction]) -> dict[str, list[Any]]:
    """The predictions as columns: those of the problem, and `abstained` where the model may abstain."""
    names = _COLUMNS[task.problem]
    if task.decision.abstain_below is not None:
        names = (*names, "abstained")
    return {name: [getattr(prediction, name) for prediction in predictions] for name in names}


def request_of(described: Any) -> Request:
    """A text, or a pair from a list of two, as JSON and YAML hold them."""
    return described if isinstance(described, str) else (described[0], described[1])


def requests_of(texts: Sequence[str], seconds: Sequence[str]) -> list[Request]:
    """Texts, or pairs where there are seconds."""
    return list(zip(texts, seconds, strict=True)) if len(seconds) else list(texts)


def prediction_of(task: Task, scores: Any, *, truncated: bool) -> Prediction:
    """The answer that scores `(1, outputs)` mean."""
    if task.problem == REGRESSION:
        return Prediction(value=float(scores[0, 0]), truncated=truncated)
    found = task.decision.answers(task.problem, scores)[0]
    probabilities = dict(zip(task.labels, scores[0].tolist(), strict=True))
    abstained = bool(task.decision.abstains(task.problem, scores)[0])
    if task.problem == CLASSIFICATION:
        label = task.labels[int(found)]
        return Prediction(
            label=label,
            probability=probabilities[label],
            probabilities=probabilities,
            abstained=abstained,
            truncated=truncated,
        )
    return Prediction(
        labels=[label for label, holds in zip(task.labels, found, strict=True) if holds],
        probabilities=probabilities,
        abstained=abstained,
        truncated=truncated,
    )
