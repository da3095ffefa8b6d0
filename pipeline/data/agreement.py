"""Measures how far annotators agree, with Krippendorff's alpha, for labels and for numbers."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import permutations
from statistics import fmean
from typing import TypeVar

from pipeline.problem.problem import Problem

Value = TypeVar("Value", bound=Hashable)


def agreement(
    rows: Sequence[Sequence[str]], *, problem: Problem, labels: Sequence[str]
) -> float | None:
    """Krippendorff's alpha of the annotators' labels, as the mean over the questions asked.

    classification asks for the label, regression for the number, multi_label asks for each label
    whether the text has it. None where no two answers could disagree.

    Args:
        rows: the labels that each row was given, in the form that tables use.
    """
    questions = problem.questions(rows, labels)
    alphas = [krippendorff_alpha(question, problem.distance) for question in questions]
    found = [alpha for alpha in alphas if alpha is not None]
    return fmean(found) if found else None


def krippendorff_alpha(
    rows: Iterable[Sequence[Value]], distance: Callable[[Value, Value], float]
) -> float | None:
    """Krippendorff's alpha: 1 for full agreement, 0 for agreement by chance.

    Args:
        rows: the values that each row was given; rows with fewer than two do not count.
        distance: δ², how much two values differ; see `Problem.distance`.

    Returns:
        α = 1 − (n − 1)·Σ_{c≠k} o_ck·δ²_ck / Σ_{c≠k} n_c·n_k·δ²_ck (Krippendorff 2011, "Computing
        Krippendorff's Alpha-Reliability", sections C and D), or None where no two labels could
        disagree.
    """
    # Ordered pair of values → how often two annotators gave it to one row; a value weighs 1.
    coincidences: defaultdict[tuple[Value, Value], float] = defaultdict(float)
    for labels in rows:
        for pair in permutations(labels, 2):
            coincidences[pair] += 1 / (len(labels) - 1)
    totals: defaultdict[Value, float] = defaultdict(float)
    for (first, _), weight in coincidences.items():
        totals[first] += weight
    expected = sum(totals[c] * totals[k] * distance(c, k) for c in totals for k in totals if c != k)
    observed = sum(weight * distance(c, k) for (c, k), weight in coincidences.items() if c != k)
    return 1 - (sum(totals.values()) - 1) * observed / expected if expected else None
