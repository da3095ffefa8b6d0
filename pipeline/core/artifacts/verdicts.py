"""Conclusions of the gate: one check a requirement for every variant, and which one is released."""

from typing import ClassVar, Literal

from pipeline.core.artifacts.part import Artifact, Ends, Number, Part

Outcome = Literal["passed", "failed", "inconclusive"]


class Check(Part):
    """One requirement and what was found."""

    name: str
    """The requirement."""
    limit: Number
    """Its limit."""
    value: Number | None
    """What was found; null where there was nothing to measure."""
    interval: Ends | None
    """Interval of the value; null for an exact figure."""
    unit: str
    """Unit of limit and value."""
    outcome: Outcome
    """`inconclusive`: the interval spans the limit, so these rows cannot tell."""

    @property
    def fails_requirement(self) -> bool:
        """Whether a variant with this check must not be released."""
        if self.outcome != "inconclusive" or self.name.startswith(("max_slice_gap", "max_swap_gap")):
            return self.outcome == "failed"
        return self.shortfall > 0

    @property
    def shortfall(self) -> float:
        """How far the value is on the wrong side, in the check's unit; 0 on the right side."""
        if self.value is None:
            return float("inf")
        at_least = self.name == "min_quality"
        return max(self.limit - self.value if at_least else self.value - self.limit, 0.0)


class ConsideredVariant(Part):
    """The checks of one ONNX variant."""

    qualifies: bool
    """Whether it may be released."""
    checks: list[Check]
    """One a requirement."""


class Verdict(Artifact):
    """Which variant is released, and why."""

    FILE: ClassVar[str] = "gate/verdict.json"

    passed: bool
    """Always true: the gate fails where no variant qualifies."""
    released: str
    """Name of the released variant."""
    reason: str
    """Why this one, and which checks are inconclusive."""
    checks: list[Check]
    """The checks of the released variant."""
    considered: dict[str, ConsideredVariant]
    """Variant → its checks, for every ONNX variant."""
