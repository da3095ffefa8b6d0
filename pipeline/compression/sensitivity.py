"""Which operators int8 costs most: each alone in int8, all others in float32.

The answers of a model with one operator in int8 differ from those of float32 by what that operator loses.
Where int8 as a whole changes too much, the worst of them stay in float32 until it does not.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.compression.int8 import (
    Operator,
    folded,
    named,
    quantizable,
    quantize_alone,
    quantize_int8,
)
from pipeline.core.errors import ArtifactError
from pipeline.core.progress import say
from pipeline.core.sections import QuantizeParams

Scores = NDArray[np.float64]
Answer = Callable[[Path], Scores]
"""An ONNX file to the scores of some texts, `(texts, outputs)`."""
Agree = Callable[[Scores, Scores], float]
"""Scores of two models to their agreement, 1 at most."""


@dataclass(frozen=True)
class Sensitivity:
    """What one operator in int8 changes.

    Attributes:
        change: mean absolute difference of a score.
    """

    operator: Operator
    change: float


def sensitivities(
    source: Path, answer: Answer, float32: Scores, *, params: QuantizeParams
) -> list[Sensitivity]:
    """Of every operator of the float32 model `source` that int8 takes, the most sensitive first."""
    found = []
    with folded(source) as ready, tempfile.TemporaryDirectory() as name:
        target = Path(name) / "alone.onnx"
        for operator in quantizable(ready, params=params):
            quantize_alone(ready, target, operator, params=params)
            change = float(np.abs(answer(target) - float32).mean())
            found.append(Sensitivity(operator, change))
    return sorted(found, key=lambda one: -one.change)


def quantize_within(
    source: Path,
    target: Path,
    answer: Answer,
    agree: Agree,
    *,
    float32: Scores,
    params: QuantizeParams,
    ranked: Sequence[Sensitivity] | None,
) -> tuple[list[Operator], Scores]:
    """Write the int8 model of `source` that agrees with it by `params.min_agreement` or more.

    Args:
        float32: the answers of `source`.
        ranked: its `sensitivities`, where they are known.

    Returns:
        What was left in float32, and the answers of `target`.

    Raises:
        ArtifactError: the least agreement is not met while half of the operators are in int8.
    """
    with folded(source) as ready:
        operators = quantizable(ready, params=params)
    kept = named(operators, params.float_operators)
    most = max(len(kept), len(operators) // 2)
    others: list[Operator] | None = None
    while True:
        quantize_int8(source, target, params=params, float_operators=kept)
        int8 = answer(target)
        if (found := agree(float32, int8)) >= params.min_agreement:
            return kept, int8
        if len(kept) >= most:
            raise _disagrees(source.parent.name, found, kept, params)
        if others is None:
            ranked = ranked or sensitivities(source, answer, float32, params=params)
            others = [one.operator for one in ranked if one.operator not in kept]
        worst = others.pop(0)
        say(f"quantize  {source.parent.name}: agreement {found:.3f}; {worst.name} stays in float32")
        kept = [*kept, worst]


def _disagrees(
    model: str, found: float, kept: Sequence[Operator], params: QuantizeParams
) -> ArtifactError:
    named_ones = ", ".join(one.name for one in kept) or "nothing"
    return ArtifactError(
        f"{model} in int8 agrees with float32 by {found:.3f}, with {named_ones} left in float32",
        expected=f"quantize.min_agreement: {params.min_agreement:g}",
        next_step="train the model longer (its answers may lie near the boundary), or lower the limit",
    )
