"""Golden requests: does a model answer here as it did where it was built?"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.core.decision import HALF, MULTI_LABEL
from pipeline.runtime.task import Request, Task
from pipeline.runtime.text_model import TextModel


def golden_answers(model: TextModel, requests: Sequence[Request]) -> list[dict[str, Any]]:
    """Requests with the model's own answers: what `check_golden` reads."""
    return [
        _named(request) | answer.as_dict()
        for request, answer in zip(requests, model.predict(requests), strict=True)
    ]


def _named(request: Request) -> dict[str, str]:
    texts = (request,) if isinstance(request, str) else request
    return dict(zip(("text", "second"), texts, strict=False))


def check_golden(
    model: TextModel, golden: Iterable[Mapping[str, Any]], tolerance: float
) -> list[str]:
    """One sentence for each golden request that is answered otherwise; empty when all agree.

    Args:
        model: the model under test.
        golden: requests with the answers expected; see `differences`.
        tolerance: largest absolute difference of a probability, or of the number.
    """
    return [
        f"golden request {number}: {reason}"
        for number, request in enumerate(golden, start=1)
        for reason in differences(
            model.predict([golden_request(request)])[0].as_dict(),
            request,
            task=model.task,
            tolerance=tolerance,
        )
    ]


def golden_request(golden: Mapping[str, Any]) -> Request:
    """The text of a golden request, or its two texts."""
    return (golden["text"], golden["second"]) if "second" in golden else golden["text"]


def differences(
    answer: Mapping[str, Any], golden: Mapping[str, Any], *, task: Task, tolerance: float
) -> list[str]:
    """What of an answer is not as expected, in words; empty when it agrees.

    Args:
        answer: what a caller is told; see `Prediction.as_dict`.
        golden: `text` (and `second`), and the same keys as an answer.
    """
    if "value" in golden:
        found = answer.get("value")
        agrees = found is not None and _close(found, golden["value"], tolerance)
        return [] if agrees else [f"value is {found}, expected {golden['value']} ± {tolerance:g}"]
    expected, found = golden["probabilities"], answer.get("probabilities", {})
    if answer.get("label") != golden.get("label"):
        return [f"label {answer.get('label')!r}, expected {golden['label']!r}"]
    if expected.keys() != found.keys():
        return [f"labels {sorted(found)}, expected {sorted(expected)}"]
    apart = [
        f"probability of {label!r} is {found[label]:.6f}, expected {value:.6f} ± {tolerance:g}"
        for label, value in expected.items()
        if not _close(found[label], value, tolerance)
    ]
    return apart or _other_labels(answer, golden, task=task, tolerance=tolerance)


def _other_labels(
    answer: Mapping[str, Any], golden: Mapping[str, Any], *, task: Task, tolerance: float
) -> list[str]:
    """Labels that hold on one side alone, though their probability is not at the threshold."""
    if task.problem != MULTI_LABEL:
        return []
    cuts = dict(
        zip(task.labels, task.decision.thresholds or (HALF,) * len(task.labels), strict=True)
    )
    other = set(answer["labels"]) ^ set(golden["labels"])
    sure = [x for x in other if not _close(golden["probabilities"][x], cuts[x], tolerance)]
    return [f"labels {answer['labels']}, expected {golden['labels']}"] if sure else []


def _close(value: float, expected: float, tolerance: float) -> bool:
    # NaN compares false with everything: it must count as a difference.
    return math.isfinite(value) and abs(value - expected) <= tolerance
