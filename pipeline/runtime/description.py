"""`bundle.json`, the description of a bundle; docs/guide/artifacts.md documents the format."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.problem.problems import CLASSIFICATION, PROBLEMS
from pipeline.runtime.golden import GoldenRequest
from pipeline.runtime.task import Request, Task

FORMAT = 3
DESCRIPTION = "bundle.json"
NEXT_STEP = "build it again with `make pipeline`; do not edit a bundle by hand"
Quality = Mapping[str, Mapping[str, Any]]
"""Split → figure → its value, or the two ends of its interval."""
Latency = Mapping[str, float | None]
"""`p50` and `p95` of one answer in milliseconds, with the `batch`, `tokens` and `threads` used."""

_SINCE_2: Mapping[str, Any] = {
    "problem": CLASSIFICATION,
    "pairs": False,
    "window_stride": None,
    "segments": False,
    "decision": {"thresholds": None, "abstain_below": None},
    "quality_metric": None,
    "answered": None,
}
_SINCE_3: Mapping[str, Any] = {"scale": None, "language_model": None}
_ABSENT: Mapping[int, Mapping[str, Any]] = {1: {**_SINCE_2, **_SINCE_3}, 2: _SINCE_3, FORMAT: {}}
"""Format → keys that it may lack, with what their absence means.

A bundle of format 1 classifies single texts and cuts long ones; one of format 2 has no certificate.
Both are still served."""


@dataclass(frozen=True, kw_only=True)
class TeacherFigures:
    """The teacher's figures, to compare the released model with."""

    name: str
    size_bytes: int
    latency_ms: Latency
    quality: Quality


@dataclass(frozen=True, kw_only=True)
class BundleDescription:
    """All of `bundle.json`.

    Attributes:
        format: 1, 2 or 3.
        segments: the model reads which text of a pair a token belongs to.
        scale: lowest and highest number in the training rows; None unless answers are numbers.
        answered: split → `share` of rows answered and share of these that is `right`.
        examples: requests for the demo page and for trials of a server.
        golden: requests with the answers expected.
        golden_tolerance: largest absolute difference of a probability, or of the number.
        versions: package → version that built the bundle.
        language_model: its `family`; None where the bundle has none.
        lineage: SHA-256 of records, code and parameters.
    """

    format: int
    product: str
    audience: str
    variant: str
    task: Task
    segments: bool
    scale: tuple[float, float] | None
    quality_metric: str | None
    pad_token_id: int
    quality: Quality
    answered: Quality | None
    teacher: TeacherFigures
    size_bytes: int
    latency_ms: Latency
    examples: tuple[Request, ...]
    golden: tuple[GoldenRequest, ...]
    golden_tolerance: float
    versions: Mapping[str, str]
    language_model: Mapping[str, str] | None
    lineage: Mapping[str, str]

    @classmethod
    def from_json(cls, value: object) -> "BundleDescription":
        """Reads a parsed `bundle.json`.

        Raises:
            ArtifactError: the format is unknown, or a key is unknown, missing or of another type.
        """
        try:
            if not isinstance(value, Mapping):
                raise MismatchError("no object")
            if (number := value.get("format")) not in (*_ABSENT,):
                raise MismatchError(f"format {number}")
            description = read_as(cls, _with_task({**_ABSENT[number], **value}))
        except MismatchError as error:
            raise _malformed(str(error)) from error
        description.check()
        return description

    def as_dict(self) -> dict[str, Any]:
        """The content of `bundle.json`."""
        keys = {
            **self.task.as_dict(),
            **vars(self),
            "teacher": asdict(self.teacher),
            "golden": [request.as_dict() for request in self.golden],
        }
        del keys["task"]
        absent = _ABSENT[self.format]
        return {key: held for key, held in keys.items() if key not in absent or held != absent[key]}

    def check(self) -> None:
        """Refuses values that contradict each other.

        Raises:
            ArtifactError: labels, lengths, thresholds or golden requests do not fit the problem.
        """
        task, thresholds = self.task, self.task.decision.thresholds
        if task.problem not in PROBLEMS:
            raise _malformed(f"the problem {task.problem!r}")
        if not task.labels or not all(task.labels) or task.kind.labels_fault(task.labels):
            raise _malformed(f"labels {list(task.labels)!r}")
        if task.max_length < 1:
            raise _malformed(f"max_length {task.max_length}")
        if task.window_stride is not None and task.window_stride < 1:
            raise _malformed(f"window_stride {task.window_stride}")
        if thresholds is not None and len(thresholds) != len(task.labels):
            raise _malformed(f"{len(thresholds)} thresholds for {len(task.labels)} labels")
        if not all(_fits(golden, task) for golden in self.golden):
            raise _malformed("a golden request that lacks text or answer")


def _with_task(value: Mapping[str, Any]) -> dict[str, Any]:
    """Moves the keys of the task, which are flat in the file, under the key `task`."""
    decision = value.get("decision")
    if isinstance(decision, Mapping) and not decision.keys() >= {"thresholds", "abstain_below"}:
        raise MismatchError(f"the decision {decision}")
    names = {field.name for field in fields(Task)}
    task = {key: held for key, held in value.items() if key in names}
    return {key: held for key, held in value.items() if key not in names} | {"task": task}


def _fits(golden: GoldenRequest, task: Task) -> bool:
    """Whether the request is a pair if the task has pairs, and the answer fits the problem."""
    return isinstance(golden.request, str) != task.pairs and task.kind.is_answer(golden.answer)


def _malformed(got: str) -> ArtifactError:
    return ArtifactError(
        f"{DESCRIPTION} with {got}",
        expected=f"the bundle format {FORMAT} of docs/guide/artifacts.md",
        next_step=NEXT_STEP,
    )
