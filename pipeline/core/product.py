"""The section `product` of a product file, `compute` of params.yaml, and what all sections share.

Sections are frozen and refuse unknown keys. The recipe has no defaults; what a customer says has
them, so that a product file stays short, and build.yaml spells them all out before a stage reads
it. Each field has a docstring: docs/guide/parameters.md is made from them. The code lock leaves the
schema out, for it changes no result that build.yaml does not show.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.core.names import PRODUCT_NAME_RULE, is_product_name
from pipeline.core.spdx import licence_fault
from pipeline.core.term_lists import term_lists_fault
from pipeline.problem.problems import PROBLEMS, problem_named

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]

_LICENCES = ("Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0")
_METRICS = tuple(dict.fromkeys(name for kind in PROBLEMS.values() for name in kind.metrics))
_KINDS = [f"`{kind.name}`: {kind.words.answer_of_a_text}." for kind in PROBLEMS.values()]
_USUAL = ", ".join(f"{kind.usual_metric} ({kind.name})" for kind in PROBLEMS.values())
_BY_PROBLEM = "; ".join(f"{kind.name}: {', '.join(kind.metrics)}" for kind in PROBLEMS.values())


def _product_name(name: str) -> str:
    if not is_product_name(name):
        raise ValueError(PRODUCT_NAME_RULE)
    return name


def _metric_name(name: str) -> str:
    if name not in _METRICS:
        raise ValueError(f"{name!r} is no metric; there are {', '.join(_METRICS)}")
    return name


def _licences(licences: list[str]) -> list[str]:
    # Most products list the usual ones alone, and need no index of all licences.
    others = [found for found in licences if found not in (*_LICENCES, "own", "unknown")]
    for licence in others:
        if fault := licence_fault(licence, likely=_LICENCES):
            raise ValueError(fault)
    return licences


def _term_lists(lists: dict[str, Any]) -> dict[str, Any]:
    if fault := term_lists_fault(lists):
        raise ValueError(fault)
    return lists


class Section(BaseModel):
    """Base class of all sections."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Requirements(Section):
    """Requirements of the customer. A model that misses one is not released."""

    quality_metric: Annotated[str, AfterValidator(_metric_name)] = Field(
        description=f"The metric that quality is judged by. {_BY_PROBLEM}. Default: {_USUAL}."
    )
    min_quality: Share = 0.0
    """Least value of `quality_metric` on the validation split. At 0 it is enough that the teacher
    is not worse than the baselines by more than chance, as it never may be, and that the loss against
    it is small."""
    max_quality_drop: Share = 0.1
    """Largest loss of `quality_metric` against the teacher, on the same validation rows."""
    latency_p95_ms: Rate = 20.0
    """Longest time in milliseconds that 95 % of the requests may take, on this machine. A request
    has `measure.tokens` tokens; the time of the tokenizer is not counted."""
    size_mb: Rate = 20.0
    """Largest model file, in megabytes of 10⁶ bytes."""
    memory_mb: Rate = 500.0
    """Most resident memory of a process that has loaded and used the model, in MB of 10⁶ bytes."""
    max_slice_gap: Share = 0.4
    """Largest gap of quality between all validation rows and any slice of them (short texts, long
    texts, texts with negation, each label)."""
    max_swap_gap: Share = 0.25
    """Largest mean change of an answer where a group of people that a validation text names is exchanged for
    another (`product.identity_terms`): of the probability that changes most or, of a number, as a share of the
    spread. A kind of groups that fewer than `evaluate.min_slice_rows` texts name is not judged."""
    allowed_licences: Annotated[list[str], AfterValidator(_licences)] = Field(
        default_factory=lambda: [*_LICENCES]
    )
    """SPDX identifiers of the licences that sources and checkpoints may have; as a default, well
    known permissive ones. `own`, for texts of your own, is always allowed. Of `A AND B` both must
    be here, of `A OR B` one."""
    licence_waivers: dict[str, str] = Field(default_factory=dict)
    """Source or checkpoint → why it is used although its licence is unknown or not allowed. The
    model card shows the reasons."""


class Product(Section):
    """The customer's order: what is built, for whom, and what is good enough."""

    name: Annotated[str, AfterValidator(_product_name)]
    """Name of the product, its registered model and its releases; lower case, digits, hyphens."""
    audience: str = ""
    """Who uses the product and for what; printed in the model card and on the demo page."""
    problem: Annotated[str, AfterValidator(lambda name: problem_named(name).name)] = Field(
        default="classification", description=" ".join(["Kind of answer.", *_KINDS])
    )
    pairs: bool = False
    """Whether each request is two texts, such as a question and an answer."""
    labels: Annotated[list[str], Field(min_length=1)]
    """The possible labels, in the order of the model's outputs; for regression, the name of the
    number."""
    examples: list[str | Pair] = Field(default_factory=list)
    """Texts (or pairs) of your own to try on the demo page; also the first golden requests. Where
    there are none, texts of the validation split are shown and asked: name some if those must not
    be seen by whoever opens the page."""
    identity_terms: Annotated[
        dict[str, dict[str, dict[str, list[str]]]], AfterValidator(_term_lists)
    ] = Field(default_factory=dict)
    """Words for groups of people, beside the short English and Korean lists of pipeline/text/identity_terms.py:
    language → kind → group → words, such as `German: {gender: {women: [sie, Frau], men: [er, Mann]}}`.
    `validate` counts them by label, and `evaluate` exchanges each for the word at the same place of the next group.
    A kind that is named here takes the place of the list of that name; `{}` leaves it out."""
    requirements: Requirements
    """What a model must reach to be released. All of its keys have defaults."""

    @model_validator(mode="before")
    @classmethod
    def _with_the_usual_metric(cls, values: Any) -> Any:
        """The values with the problem's usual metric where none is named."""
        if not isinstance(values, dict) or not isinstance(values.get("requirements", {}), dict):
            return values
        problem = PROBLEMS.get(values.get("problem", "classification"))
        usual = {} if problem is None else {"quality_metric": problem.usual_metric}
        return values | {"requirements": usual | values.get("requirements", {})}

    @model_validator(mode="after")
    def _fits_the_problem(self) -> Self:
        problem = problem_named(self.problem)
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("product.labels names a label twice")
        if fault := problem.labels_fault(self.labels):
            raise ValueError(f"product.labels: {fault}")
        if self.requirements.quality_metric not in problem.metrics:
            raise ValueError(
                f"product.requirements.quality_metric of {self.problem}: {', '.join(problem.metrics)}"
            )
        if any(isinstance(example, str) == self.pairs for example in self.examples):
            wanted = "[first, second] each, for product.pairs" if self.pairs else "single texts"
            raise ValueError(f"product.examples: {wanted}")
        return self


class Compute(Section):
    """How training uses the machine. Equal values on one machine give results equal to the last
    digit.
    """

    seed: int
    """Seed of every random choice. Another seed gives other weights, about as good."""
    threads: Positive
    """Threads that compute a training step; use the number of cores. Another number rounds
    differently, and so gives other weights, about as good."""
    device: Literal["auto", "cpu", "cuda"]
    """Where training runs. `auto`: on the GPU where there is one, else on the processor."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Arithmetic of training. `float32`: exact to 24 bits. `bfloat16`: faster and less exact.
    `auto`: the one in which this machine trained a step sooner, when they were timed once."""
