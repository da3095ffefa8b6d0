"""The task of a model: its problem, its labels, how it reads requests and how it decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.core.cleaning import CLEANING
from pipeline.problem.decision import Decision
from pipeline.problem.prediction import Prediction
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named

Request = str | tuple[str, str]
"""A text, or the two texts of a pair."""

_EXAMPLES = 6
_SHORT_CHARACTERS = 200


class ProductSettings(Protocol):
    """The part of `product` in the parameters that a task needs."""

    @property
    def problem(self) -> str: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def pairs(self) -> bool: ...


class ReadSettings(Protocol):
    """The part of `prepare` in the parameters that a task needs."""

    @property
    def max_length(self) -> int: ...
    @property
    def window_stride(self) -> int | None: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything besides weights and tokenizer that a model's answers depend on.

    Attributes:
        labels: names of the outputs, in order.
        pairs: whether a request is two texts.
        max_length: tokens the model reads at once, special tokens included.
        window_stride: ordinary tokens from the start of one window to the next; None cuts the text.
        cleaning: number of the rules by which the texts were cleaned that it learned from, and a
            request is cleaned; 0 where it is read as it comes.
    """

    problem: str
    labels: tuple[str, ...]
    pairs: bool
    max_length: int
    window_stride: int | None
    decision: Decision
    cleaning: int

    @classmethod
    def from_settings(
        cls, product: ProductSettings, prepare: ReadSettings, decision: Decision | None = None
    ) -> "Task":
        """The task that the parameters describe; without `decision`, with the usual one."""
        return cls(
            problem=product.problem,
            labels=tuple(product.labels),
            pairs=product.pairs,
            max_length=prepare.max_length,
            window_stride=prepare.window_stride,
            decision=decision or Decision(),
            # Of every problem: validate cleans all texts, both of a pair and the corpus too.
            cleaning=CLEANING,
        )

    @property
    def kind(self) -> Problem:
        return problem_named(self.problem)


def columns_of(task: Task, predictions: Sequence[Prediction]) -> dict[str, list[Any]]:
    """The predictions by column, with `abstained` if the model may abstain."""
    names = task.kind.columns
    if task.decision.abstain_below is not None:
        names = (*names, "abstained")
    return {name: [getattr(prediction, name) for prediction in predictions] for name in names}


def request_of(described: Any) -> Request:
    """The request that JSON or YAML gives as a text or as a list of two texts."""
    return described if isinstance(described, str) else (described[0], described[1])


def requests_of(texts: Sequence[str], seconds: Sequence[str]) -> list[Request]:
    """The requests: pairs if there are second texts, else single texts."""
    return list(zip(texts, seconds, strict=True)) if len(seconds) else list(texts)


def examples_of(
    named: Sequence[Any], texts: Sequence[str], seconds: Sequence[str]
) -> list[Request]:
    """The requests that a product names as examples; where it names none, some of the texts.

    Args:
        named: `product.examples`.
        texts: validation texts, short ones of which are taken, in their order.
        seconds: their second texts, for pairs.
    """
    if named:
        return [request_of(example) for example in named]

    def is_long(request: Request) -> bool:
        characters = len(request) if isinstance(request, str) else sum(map(len, request))
        return characters > _SHORT_CHARACTERS

    return sorted(requests_of(texts, seconds), key=is_long)[:_EXAMPLES]
