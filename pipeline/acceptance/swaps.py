"""Asks again with a group of people exchanged for another: how far the answers change.

After Garg et al. 2019, "Counterfactual Fairness in Text Classification through Robustness": the mean absolute
change of the answer to a text and to its counterpart (their equation 2). A model that reads texts for what they
say of a film or a delivery has no reason to change its answer with the group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.variant_reports import SwapReport
from pipeline.metrics.intervals import Draws, paired_difference, proportion_interval
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores
from pipeline.problem.problem import Problem
from pipeline.text.identity_terms import Kind
from pipeline.text.term_finding import TermFinder


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """Texts with the words of one kind exchanged, by kind.

    Attributes:
        kinds: the kind of each text, in order.
        rows: number of the row that each text was made from, `(texts,)`.
        seconds: the second text of each pair; empty where there are no pairs.
    """

    kinds: list[Kind]
    rows: NDArray[np.int64]
    texts: list[str]
    seconds: list[str]


def exchanged(texts: Sequence[str], seconds: Sequence[str], finder: TermFinder) -> Exchanged:
    """Each text once for each kind of group that it names, with that kind's words exchanged.

    Args:
        seconds: the second text of each pair, exchanged with the first; empty without pairs.
    """
    requests = list(zip(texts, seconds, strict=True)) if seconds else [(text,) for text in texts]
    found = sorted(
        (kind, row, changed)
        for row, request in enumerate(requests)
        for kind, changed in finder.swapped(*request).items()
    )
    return Exchanged(
        kinds=[kind for kind, _, _ in found],
        rows=np.array([row for _, row, _ in found], dtype=np.int64),
        texts=[changed[0] for _, _, changed in found],
        seconds=[changed[1] for _, _, changed in found] if seconds else [],
    )


def swap_reports(
    asked: Exchanged,
    *,
    before: Scores,
    after: Scores,
    problem: Problem,
    decision: Decision,
    unit: float,
    min_rows: int,
    draws: Draws,
) -> list[SwapReport]:
    """How answers change with each kind; one of fewer than `min_rows` texts has null figures.

    Args:
        before: scores of all rows, `(rows, outputs)`.
        after: scores of the texts that were asked again, `(texts, outputs)`.
        unit: what a change is told in: 1 for probabilities, the spread of a number.
    """
    changes = np.abs(after - before[asked.rows]).max(axis=1, initial=0.0) / unit
    answers = [problem.answers(scores, decision) for scores in (before[asked.rows], after)]
    has_labels = problem.has_probabilities
    flips = 1.0 - problem.right(*answers) if has_labels else None
    places = {kind: np.array([each == kind for each in asked.kinds]) for kind in asked.kinds}
    return [
        _report(
            kind,
            changes[mask],
            None if flips is None else flips[mask],
            min_rows=min_rows,
            draws=draws,
        )
        for kind, mask in places.items()
    ]


def _report(
    kind: Kind,
    changes: NDArray[np.float64],
    flips: NDArray[np.float64] | None,
    *,
    min_rows: int,
    draws: Draws,
) -> SwapReport:
    measured = len(changes) >= min_rows
    gap = paired_difference(changes, np.zeros_like(changes), **draws) if measured else None
    told = flips if measured else None
    share = None if told is None else proportion_interval(told, confidence=draws["confidence"])
    return SwapReport(
        language=kind.language,
        kind=kind.name,
        rows=len(changes),
        changed=None if told is None else int(told.sum()),
        changed_interval=None if share is None else share.as_list(),
        gap=None if gap is None else gap.value,
        interval=None if gap is None else gap.as_list(),
    )
