"""Lists the kinds of problem. A new one is a class in this folder and an entry in `PROBLEMS`."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.problem.classification import Classification
from pipeline.problem.multi_label import MultiLabel
from pipeline.problem.problem import Problem
from pipeline.problem.regression import Regression

CLASSIFICATION, MULTI_LABEL, REGRESSION = Classification.name, MultiLabel.name, Regression.name
PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    {problem.name: problem for problem in (Classification(), MultiLabel(), Regression())}
)
"""Name → problem."""


class UnknownProblemError(ValueError):
    """A name that no problem has."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no problem; there are {', '.join(PROBLEMS)}")


def problem_named(name: str) -> Problem:
    """Returns the problem of that name; `UnknownProblemError` where there is none."""
    if (problem := PROBLEMS.get(name)) is None:
        raise UnknownProblemError(name)
    return problem


def in_words(metric: str) -> str:
    """Returns a metric's name in words: `macro_f1` as "macro F1"."""
    return metric.replace("_", " ").replace("f1", "F1")
