"""How far annotators agree: Krippendorff's alpha, for labels and for numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from statistics import fmean
from typing import TypeVar

from pipeline.core.product import MULTI_LABEL, REGRESSION
from pipeline.data.labels import held_labels

Value = TypeVar("Value", str, float, bool)


def agreement(
    rows: Sequence[Sequence[str]], *, problem: str, labels: Sequence[str]
) -> float | None:
    """Alpha of the labels that each row was given, as tables hold them.

    classification: nominal. multi_label: the mean over the labels of the nominal alpha of "does it
    hold?". regression: with the interval metric. None where nothing could disagree.
    """
    if problem == REGRESSION:
        return krippendorff_alpha([[float(label) for label in row] for row in rows], squared)
    if problem == MULTI_LABEL:
        held = [[held_labels(label) for label in row] for row in rows]
        by_label = (
            krippendorff_alpha([[label in names for names in row] for row in held], nominal)
            for label in labels
        )
        found = [alpha for alpha in by_label if alpha is not None]
        return fmean(found) if found else None
    return krippendorff_alpha(rows, nominal)


def nominal(first: Value, second: Value) -> float:
    """Two labels are the same or are not."""
    return float(first != second)


def squared(first: float, second: float) -> float:
    """The interval metric: the square of the difference."""
    return (first - second) ** 2


def krippendorff_alpha(
    rows: Iterable[Sequence[Value]], distance: Callable[[Value, Value], float]
) -> float | None:
    """Krippendorff's alpha: 1 is agreement, 0 is chance.

    Args:
        rows: the labels that each row was given; rows with fewer than two say nothing.
        distance: δ², `nominal` or `squared`.

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
