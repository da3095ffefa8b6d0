"""`bundle.json`, the description of a bundle; docs/guide/artifacts.md documents the format.

Imports neither ONNX Runtime nor a tokenizer, so that a release can compare answers over HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.core.cleaning import CLEANING
from pipeline.core.errors import ArtifactError, unusable
from pipeline.core.names import PRODUCT_NAME_RULE, is_product_name
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.problem.decision import HALF
from pipeline.problem.prediction import Prediction
from pipeline.problem.problems import CLASSIFICATION, PROBLEMS
from pipeline.runtime.task import Request, Task

FORMAT = 4
CERTIFIED_SINCE = 3
DESCRIPTION = "bundle.json"
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
_SINCE_4: Mapping[str, Any] = {"cleaning": 0}
_ABSENT: Mapping[int, Mapping[str, Any]] = {
    1: {**_SINCE_2, **_SINCE_3, **_SINCE_4},
    2: {**_SINCE_3, **_SINCE_4},
    3: _SINCE_4,
    FORMAT: {},
}
"""Format → keys that it may lack, with what their absence means.

A bundle of format 1 classifies single texts and cuts long ones; one of format 2 has no certificate;
one of format 3 reads texts as they come, as it did when it was certified. All are still served."""


@dataclass(frozen=True, kw_only=True)
class GoldenRequest:
    """A request with the answer of the model where it was built, to compare with it elsewhere."""

    request: Request
    answer: Prediction

    @classmethod
    def from_json(cls, value: object) -> "GoldenRequest":
        """Reads what `as_dict` wrote.

        Raises:
            MismatchError: it is no object, or a key is unknown or of another type.
        """
        if not isinstance(value, Mapping):
            raise MismatchError(f"{value!r} as a golden request")
        answer = dict(value)
        texts = [answer.pop(key) for key in ("text", "second") if key in answer]
        if "text" not in value or not all(isinstance(text, str) for text in texts):
            raise MismatchError(f"the texts {texts} of a golden request")
        request = texts[0] if len(texts) == 1 else (texts[0], texts[1])
        return cls(request=request, answer=read_as(Prediction, answer))

    def as_dict(self) -> dict[str, Any]:
        """For `bundle.json`: `text`, `second` of a pair, and the keys of the answer."""
        texts = (self.request,) if isinstance(self.request, str) else self.request
        return dict(zip(("text", "second"), texts, strict=False)) | self.answer.as_dict()


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
        """Reads a parsed `bundle.json`, in which the keys of the task are flat.

        Raises:
            ArtifactError: the format is unknown, or a key is unknown, missing or of another type.
        """
        number = value.get("format") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or number not in (*_ABSENT,):
            raise _malformed(f"the format {number}")
        described: dict[str, Any] = {**_ABSENT[number], **value}
        decision = described.get("decision")
        if isinstance(decision, Mapping) and not decision.keys() >= {"thresholds", "abstain_below"}:
            raise _malformed(f"the decision {decision}")
        names = [field.name for field in fields(Task)]
        task = {name: described.pop(name) for name in names if name in described}
        try:
            description = read_as(cls, described | {"task": task})
        except MismatchError as error:
            raise _malformed(str(error)) from error
        description.check()
        return description

    def as_dict(self) -> dict[str, Any]:
        """The content of `bundle.json`."""
        keys = {
            **asdict(self.task),
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
            ArtifactError: labels, lengths, thresholds or golden requests do not fit the problem, or
                the product has no name but a path, say.
        """
        task, thresholds = self.task, self.task.decision.thresholds
        if not is_product_name(self.product):
            raise _malformed(f"the product {self.product[:80]!r}, not {PRODUCT_NAME_RULE}")
        if task.problem not in PROBLEMS:
            raise _malformed(f"the problem {task.problem!r}")
        if not task.labels or not all(task.labels) or task.kind.labels_fault(task.labels):
            raise _malformed(f"labels {list(task.labels)!r}")
        if task.max_length < 1:
            raise _malformed(f"max_length {task.max_length}")
        if not 0 <= task.cleaning <= CLEANING:
            raise _malformed(f"the rules of cleaning {task.cleaning}")
        if task.window_stride is not None and task.window_stride < 1:
            raise _malformed(f"window_stride {task.window_stride}")
        if thresholds is not None and len(thresholds) != len(task.labels):
            raise _malformed(f"{len(thresholds)} thresholds for {len(task.labels)} labels")
        pairs = {not isinstance(golden.request, str) for golden in self.golden}
        answered = all(task.kind.is_answer(golden.answer) for golden in self.golden)
        if pairs - {task.pairs} or not answered:
            raise _malformed("a golden request that lacks text or answer")

    def golden_differences(self, answer: Callable[[Request], Prediction]) -> list[str]:
        """One sentence for each difference from a golden answer; empty when all agree.

        Args:
            answer: gives a model's answer to one request.
        """
        task = self.task
        thresholds = task.decision.thresholds or (HALF,) * len(task.labels)
        threshold_of = dict(zip(task.labels, thresholds, strict=True))
        return [
            f"golden request {number}: {reason}"
            for number, golden in enumerate(self.golden, start=1)
            for reason in answer(golden.request).differences(
                golden.answer, threshold_of=threshold_of, tolerance=self.golden_tolerance
            )
        ]


def _malformed(got: str) -> ArtifactError:
    return unusable(
        f"{DESCRIPTION} with {got}",
        expected=f"the bundle format {FORMAT} of docs/guide/artifacts.md",
    )
