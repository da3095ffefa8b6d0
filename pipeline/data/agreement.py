"""How far annotators agree: Krippendorff's alpha, for labels and for numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from statistics import fmean
from typing import TypeVar

from pipeline.problem.problem import Problem

Value = TypeVar("Value", str, float, bool)


def agreement(
    rows: Sequence[Sequence[str]], *, problem: Problem, labels: Sequence[str]
) -> float | None:
    """Alpha of the labels that each row was given, as tables hold them: the mean over the questions.

    classification asks which label; multi_label asks of each label whether it holds; regression asks
    for the number. None where nothing could disagree.
    """
    alphas = [
        krippendorff_alpha(question, problem.distance)
        for question in problem.questions(rows, labels)
    ]
    found = [alpha for alpha in alphas if alpha is not None]
    return fmean(found) if found else None


def krippendorff_alpha(
    rows: Iterable[Sequence[Value]], distance: Callable[[Value, Value], float]
) -> float | None:
    """Krippendorff's alpha: 1 is agreement, 0 is chance.

    Args:
        rows: the labels that each row was given; rows with fewer than two say nothing.
        distance: δ² of two values; see `Problem.distance`.

    Returns:
        α = 1 − (n − 1)·Σ_{c≠k} o_ck·δ²_ck / Σ_{c≠k} n_c·n_k·δ²_ck (Krippendorff 2011, "Computing
        Krippendorff's Alpha-Reliability", sections C and D), or None where no two labels could
        disagree.
    """
    coincidences = _coincidences(rows)
    totals: defaultdict[Value, float] = defaultdict(float)
    for (first, _), weight in coincidences.items():
        totals[first] += weight
    expected = sum(totals[c] * totals[k] * distance(c, k) for c in totals for k in totals if c != k)
    observed = sum(weight * distance(c, k) for (c, k), weight in coincidences.items() if c != k)
    return 1 - (sum(totals.values()) - 1) * observed / expected if expected else None


def _coincidences(rows: Iterable[Sequence[Value]]) -> Mapping[tuple[Value, Value], float]:
    """How often two annotators of a row gave each ordered pair of labels, each label counted once."""
    weights: defaultdict[tuple[Value, Value], float] = defaultdict(float)
    for labels in rows:
        for first, second in permutations(labels, 2):
            weights[first, second] += 1 / (len(labels) - 1)
    return weights
