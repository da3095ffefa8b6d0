"""Figures of each variant: quality (evaluate), cost on this machine (measure), both (the gate)."""

from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field, model_serializer, model_validator

from pipeline.core.artifacts.part import Artifact, Ends, Part, named

_INTERVAL = "_ci95"
"""Ending of an interval's key. Its level is `evaluate.confidence`, whatever the name says."""
Value = TypeVar("Value")


class Quality(Part):
    """Metrics on one split: in the file `<metric>` and, for some, `<metric>_ci95`, `[low, high]`."""

    figures: dict[str, float]
    """Metric → its figure, for every metric of the problem."""
    intervals: dict[str, Ends]
    """Metric → its interval: the product's metric and, for classification, accuracy."""

    @model_validator(mode="before")
    @classmethod
    def _from_keys(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "figures" in values:
            return values
        ends = {name: value for name, value in values.items() if name.endswith(_INTERVAL)}
        return {
            "figures": {name: value for name, value in values.items() if name not in ends},
            "intervals": {name.removesuffix(_INTERVAL): value for name, value in ends.items()},
        }

    @model_serializer
    def _to_keys(self) -> dict[str, Any]:
        intervals = {f"{name}{_INTERVAL}": ends for name, ends in self.intervals.items()}
        return self.figures | intervals


class BySplit(Part, Generic[Value]):
    """A value for validation, and one for test where test rows may be scored."""

    validation: Value
    """On validation."""
    test: Value | None = None
    """On test; there for the baselines, the teacher and the released variant alone."""

    def items(self) -> list[tuple[str, Value]]:
        """Name and value of each split that has one."""
        pairs = [("validation", self.validation), ("test", self.test)]
        return [(name, value) for name, value in pairs if value is not None]


class Answered(Part):
    """How often a variant answers, where it may abstain."""

    share: float
    """Share of the rows that it answers."""
    right: float | None
    """Share of its answers that are right; null where it answers nothing."""


class DecisionReport(Part):
    """How scores become answers; see `pipeline.problem.decision`."""

    thresholds: list[float] | None
    """One a label, or null for the usual rule."""
    abstain_below: float | None
    """An answer with less confidence counts as not given; null where all are given."""


class Difference(Part):
    """A difference to the teacher on the same validation rows."""

    metric: str
    """The product's metric."""
    value: float
    """Quality of the variant minus that of the teacher."""
    interval: Ends
    """Its interval, from rows drawn in pairs."""


class SliceReport(Part):
    """One part of the validation rows."""

    name: str
    """What the rows have in common."""
    rows: int
    """How many there are."""
    score: float | None
    """Mean score of the slice; null where it has too few rows."""
    gap: float | None
    """Score of all rows minus that of the slice: positive is worse."""
    interval: Ends | None
    """Interval of the gap."""


class SwapReport(Part):
    """Validation texts that name a group of people, asked again with the group exchanged for another."""

    language: str
    """The language of the words that were exchanged."""
    kind: str
    """The kind of groups, such as `gender`."""
    rows: int
    """How many texts hold such words."""
    changed: int | None
    """How many answers have other labels; null for numbers, and where there are too few texts."""
    changed_interval: Ends | None
    """Interval of their share."""
    gap: float | None
    """Mean absolute change of the answer: of the probability that changes most, or of a number as a share
    of the spread of the validation numbers; null where there are too few texts."""
    interval: Ends | None
    """Interval of the gap."""

    @property
    def name(self) -> str:
        """Kind and language, as a table shows them."""
        return f"{self.kind}, {self.language}"


class VariantReport(Part):
    """Quality of one variant or baseline, from evaluate."""

    name: str
    """`<model>-<precision>`, or the name of a baseline."""
    size_bytes: int | None
    """Size of the file with the weights; null for a baseline."""
    parameters: int | None
    """Parameters of the model; null for a baseline."""
    decision: DecisionReport
    """How its scores become answers."""
    quality: BySplit[Quality]
    """Quality by split."""
    answered: BySplit[Answered] | None
    """How often it answers, by split; null where every row is answered."""
    difference_to_teacher: Difference
    """Its quality against the teacher's."""
    agreement: float
    """Answers equal to the teacher's: share of equal labels, share of equal label decisions
    (multi_label), or Spearman (regression)."""
    calibration_error: float | None
    """How far probabilities are from how often they are right; null for numbers."""
    slices: list[SliceReport]
    """Parts of the rows that it may serve worse."""
    swaps: list[SwapReport] = Field(default_factory=list)
    """Change of its answers where groups of people are exchanged; only of ONNX variants, which are served."""


class VariantReports(Artifact):
    """Quality of every variant and baseline."""

    FILE: ClassVar[str] = "evaluate/variants.json"

    variants: list[VariantReport]
    """One entry a variant or baseline."""


class Percentiles(Part):
    """Time of one request, in milliseconds."""

    p50: float
    """Median of the windows of requests that were disturbed least, a tenth of all."""
    p95: float
    """95th percentile of the same requests."""


class Latency(Percentiles):
    """Time of one request, in milliseconds, the tokenizer excluded."""

    p95_all_requests: float
    """95th percentile of all requests together."""
    batch: int
    """Texts in one request: 1."""
    tokens: int
    """Tokens of the text."""
    threads: int
    """Threads of one answer."""


class Timing(Part):
    """Cost of one variant on this machine, from measure."""

    name: str
    """`<model>-<precision>`."""
    latency_ms: Latency
    """Time of one request of token ids."""
    with_tokenizer_ms: Percentiles | None
    """Time of one request by text; null for torch."""
    throughput_per_s: float
    """Requests a second, one after another."""
    memory_mb: float | None
    """Peak of a process that serves it, megabytes of 10⁶ bytes; null for torch."""
    memory_added_mb: float | None
    """The part of it that the model added; null for torch."""


Machine = dict[str, Any]
"""Facts about the machine that figures depend on; see flows/planning/machine.py."""


class Timings(Artifact):
    """Time and memory of every variant."""

    FILE: ClassVar[str] = "measure/latency.json"

    machine: Machine
    """machine.json: the machine that the figures belong to."""
    variants: list[Timing]
    """One entry a variant."""
    arithmetic_ms: float | None = None
    """Time of a fixed piece of arithmetic in the same rounds. Where it differs between two measurements on
    one machine, the processor had another speed."""


class ScorecardEntry(VariantReport):
    """All that is known of one variant; a baseline has no figures of time or memory."""

    latency_ms: Latency | None
    """Time of one request of token ids."""
    throughput_per_s: float | None
    """Requests a second, one after another."""
    memory_mb: float | None
    """Peak of a process that serves it, megabytes of 10⁶ bytes."""
    with_tokenizer_ms: Percentiles | None = None
    """Time of one request by text; the key is missing for a baseline."""
    memory_added_mb: float | None = None
    """The part of the peak that the model added; the key is missing for a baseline."""

    @property
    def size_mb(self) -> float | None:
        """Megabytes (10⁶ bytes) of the file with the weights."""
        return None if self.size_bytes is None else self.size_bytes / 1e6

    @classmethod
    def join(cls, report: VariantReport, timing: Timing | None) -> Self:
        """Joins the findings of evaluate and measure on one variant."""
        unknown = {"latency_ms": None, "throughput_per_s": None, "memory_mb": None}
        measured = timing.as_json() if timing else unknown
        return cls.parse(report.as_json() | measured, file=cls.__name__)


class Scorecard(Artifact):
    """Every variant with all its figures."""

    FILE: ClassVar[str] = "gate/scorecard.json"

    variants: list[ScorecardEntry]
    """One entry a variant or baseline, as in evaluate/variants.json."""

    def entry(self, name: str) -> ScorecardEntry:
        """The entry of a variant; `ArtifactError` where there is none."""
        return named(self.variants, name, file=self.FILE)
