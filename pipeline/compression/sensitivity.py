"""Measures operators' sensitivity to int8, and keeps the most sensitive in float32.

Sensitivity is measured with one operator in int8 and all others in float32: the change of the
answers is that operator's loss. If the whole int8 model changes too many answers, the most
sensitive operators return to float32, one at a time, until it agrees well enough.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.compression import int8
from pipeline.compression.int8 import Operator
from pipeline.core.errors import ArtifactError
from pipeline.core.progress import say
from pipeline.core.sections import QuantizeParams

Scores = NDArray[np.float64]
Answer = Callable[[Path], Scores]
"""From an ONNX file to its scores of some texts, `(texts, outputs)`."""
Agree = Callable[[Scores, Scores], float]
"""From the scores of two models to their agreement, at most 1."""


@dataclass(frozen=True)
class Sensitivity:
    """The effect of quantizing one operator: the mean absolute change of a score."""

    operator: Operator
    change: float


def sensitivities(
    source: Path, answer: Answer, float32: Scores, *, params: QuantizeParams
) -> list[Sensitivity]:
    """The sensitivity of each quantizable operator of the model `source`, highest first."""
    found = []
    with int8.folded(source) as ready, tempfile.TemporaryDirectory() as name:
        target = Path(name) / "alone.onnx"
        for operator in int8.quantizable(ready, params=params):
            int8.quantize_folded(ready, target, params=params, alone=operator.nodes)
            change = float(np.abs(answer(target) - float32).mean())
            found.append(Sensitivity(operator, change))
    return sorted(found, key=lambda one: -one.change)


def quantize_within(
    source: Path,
    target: Path,
    *,
    answer: Answer,
    agree: Agree,
    float32: Scores,
    params: QuantizeParams,
    ranked: Sequence[Sensitivity] | None,
) -> tuple[list[Operator], Scores]:
    """Writes an int8 model of `source` that agrees with it at least `params.min_agreement`.

    Args:
        float32: the answers of `source`.
        ranked: its `sensitivities` if they are known already.

    Returns:
        The operators that stay in float32, and the answers of `target`.

    Raises:
        ArtifactError: the agreement is still too low with half of the operators in float32.
    """
    with int8.folded(source) as ready:
        operators = int8.quantizable(ready, params=params)
    kept = int8.named(operators, params.float_operators)
    most = max(len(kept), len(operators) // 2)
    others: list[Operator] | None = None
    while True:
        int8.quantize_int8(source, target, params=params, float_operators=kept)
        answers = answer(target)
        if (found := agree(float32, answers)) >= params.min_agreement:
            return kept, answers
        if len(kept) >= most:
            floats = ", ".join(one.name for one in kept) or "nothing"
            raise ArtifactError(
                f"{source.parent.name} in int8 agrees with float32 by {found:.3f}, with {floats} left"
                " in float32",
                expected=f"quantize.min_agreement: {params.min_agreement:g}",
                next_step="train the model longer (its answers may lie near the boundary), or lower"
                " the limit",
            )
        if others is None:
            ranked = ranked or sensitivities(source, answer, float32, params=params)
            others = [one.operator for one in ranked if one.operator not in kept]
        worst = others.pop(0)
        say(f"quantize  {source.parent.name}: agreement {found:.3f}; {worst.name} stays in float32")
        kept = [*kept, worst]
