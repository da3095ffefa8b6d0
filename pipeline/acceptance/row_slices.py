"""The slices of a split's rows, by their texts and gold labels."""

from collections.abc import Sequence

from pipeline.metrics.slices import slice_masks
from pipeline.problem.probabilities import Mask, Targets
from pipeline.problem.problem import Problem
from pipeline.text.scripts import likely_language, script_shares


def row_slices(
    texts: Sequence[str],
    seconds: Sequence[str],
    targets: Targets,
    *,
    problem: Problem,
    labels: Sequence[str],
) -> dict[str, Mask]:
    """Slice → which rows belong to it, `(rows,)`; what is short and long is that of the texts' language.

    Args:
        seconds: the second texts of pairs; empty where there are none.
        targets: gold, `(rows, width)`.
    """
    whole = [" ".join(pair) for pair in zip(texts, seconds, strict=True)] if seconds else [*texts]
    return slice_masks(
        whole,
        problem.gold(targets),
        problem=problem,
        labels=labels,
        language=likely_language(script_shares(whole)),
    )
