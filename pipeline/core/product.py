"""What every section of params.yaml shares, and the customer's own: product and compute.

Frozen, unknown keys refused, no defaults, a docstring a field: docs/guide/parameters.md is made of
them. The code lock leaves the schema out: it decides nothing, it only refuses.
"""

from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]

CLASSIFICATION, MULTI_LABEL, REGRESSION = "classification", "multi_label", "regression"
BETWEEN_LABELS = "|"
"""Stands between the labels of a row in the tables of a multi_label product."""
QUALITY_METRICS = MappingProxyType(
    {
        CLASSIFICATION: ("accuracy", "macro_f1", "matthews"),
        MULTI_LABEL: ("micro_f1", "macro_f1", "average_precision"),
        REGRESSION: ("pearson", "spearman"),
    }
)
"""Problem → the figures of quality that it can be judged by; the first is the usual one."""


class Section(BaseModel):
    """What all sections share."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Requirements(Section):
    """What the customer needs of the released model. The gate releases nothing that misses one."""

    quality_metric: Literal[
        "accuracy",
        "macro_f1",
        "matthews",
        "micro_f1",
        "average_precision",
        "pearson",
        "spearman",
    ]
    """The figure that `min_quality` and `max_quality_drop` speak of. classification: accuracy, macro_f1,
    matthews; multi_label: micro_f1, macro_f1, average_precision; regression: pearson, spearman."""
    min_quality: Share
    """Least quality on the validation split."""
    max_quality_drop: Share
    """Most quality lost against the teacher, on the same rows."""
    latency_p95_ms: Rate
    """Longest 95th-percentile time of one request of 32 tokens, tokenizer excluded, milliseconds."""
    size_mb: Rate
    """Largest model file, in megabytes of 10⁶ bytes."""
    memory_mb: Rate
    """Most resident memory of a process that has loaded and used the model, megabytes of 10⁶ bytes."""
    max_slice_gap: Share
    """Largest quality gap between the whole validation split and any slice of it."""
    allowed_licences: list[str]
    """SPDX identifiers that sources and checkpoints may carry."""
    licence_waivers: dict[str, str]
    """Source or checkpoint name → why it is used although its licence is not allowed or unknown."""


class Product(Section):
    """The customer's side: what is built, for whom, and what counts as good enough."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    """Name of the product: of the registered model, and on the demo page."""
    audience: str
    """Who uses it and for what; goes into the model card."""
    problem: Literal["classification", "multi_label", "regression"]
    """The learnable problem: one label a text, any number of labels a text, or a number."""
    pairs: bool
    """Whether each request is two texts, such as a question and an answer."""
    labels: Annotated[list[str], Field(min_length=1)]
    """The answers, in the order of the model's outputs; for regression, the name of the number."""
    examples: Annotated[list[str | Pair], Field(min_length=1)]
    """Texts (or pairs) to try on the demo page; also the first golden requests. Write your own."""
    requirements: Requirements
    """What the released model must reach."""

    @model_validator(mode="after")
    def _labels_fit_the_problem(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("product.labels names a label twice")
        if self.problem == CLASSIFICATION and len(self.labels) < 2:
            raise ValueError("product.labels: at least two, for a text has one of them")
        if self.problem == REGRESSION and len(self.labels) != 1:
            raise ValueError("product.labels: one, the name of the number that regression gives")
        if self.problem == MULTI_LABEL and any(BETWEEN_LABELS in label for label in self.labels):
            raise ValueError(
                f"product.labels without {BETWEEN_LABELS}: tables write it between labels"
            )
        return self

    @model_validator(mode="after")
    def _metric_fits_the_problem(self) -> Self:
        known = QUALITY_METRICS[self.problem]
        if self.requirements.quality_metric not in known:
            raise ValueError(
                f"product.requirements.quality_metric of {self.problem}: {', '.join(known)}"
            )
        return self

    @model_validator(mode="after")
    def _examples_are_pairs_or_texts(self) -> Self:
        if any(isinstance(example, str) == self.pairs for example in self.examples):
            wanted = "[first, second] each, for product.pairs" if self.pairs else "single texts"
            raise ValueError(f"product.examples: {wanted}")
        return self


class Compute(Section):
    """How the machine is used. Results repeat to the last digit under the same values."""

    seed: int
    """Seed of every random choice."""
    threads: Positive
    """Threads of a training step. Another number gives other (equally good) weights."""
    device: Literal["auto", "cpu", "cuda"]
    """Where training runs; `auto` takes a GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Arithmetic of training; `auto` takes bfloat16 where the processor has instructions for it."""
