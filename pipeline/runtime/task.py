"""What a model is asked, and how it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.problem.decision import Decision
from pipeline.problem.prediction import Prediction
from pipeline.problem.problem import Problem
from pipeline.problem.problems import CLASSIFICATION, problem_named

Request = str | tuple[str, str]
"""A text, or the two texts of a pair."""


class ProductSettings(Protocol):
    """`product` of the parameters, of which a task is made."""

    @property
    def problem(self) -> str: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def pairs(self) -> bool: ...


class ReadSettings(Protocol):
    """`prepare` of the parameters, of which a task is made."""

    @property
    def max_length(self) -> int: ...
    @property
    def window_stride(self) -> int | None: ...


@dataclass(frozen=True)
class Task:
    """All that a model's answers depend on but its weights and its tokenizer.

    Attributes:
        problem: name of the problem.
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
    def asked(
        cls, product: ProductSettings, prepare: ReadSettings, decision: Decision | None = None
    ) -> "Task":
        """What the parameters ask for, by the usual decision unless one is given."""
        return cls(
            problem=product.problem,
            labels=tuple(product.labels),
            pairs=product.pairs,
            max_length=prepare.max_length,
            window_stride=prepare.window_stride,
            decision=decision or Decision(),
        )

    @property
    def kind(self) -> Problem:
        """The problem."""
        return problem_named(self.problem)

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


def columns_of(task: Task, predictions: Sequence[Prediction]) -> dict[str, list[Any]]:
    """The predictions as columns: those of the problem, and `abstained` where the model may abstain."""
    names = task.kind.columns
    if task.decision.abstain_below is not None:
        names = (*names, "abstained")
    return {name: [getattr(prediction, name) for prediction in predictions] for name in names}


def request_of(described: Any) -> Request:
    """A text, or a pair from a list of two, as JSON and YAML hold them."""
    return described if isinstance(described, str) else (described[0], described[1])


def requests_of(texts: Sequence[str], seconds: Sequence[str]) -> list[Request]:
    """Texts, or pairs where there are seconds."""
    return list(zip(texts, seconds, strict=True)) if len(seconds) else list(texts)
