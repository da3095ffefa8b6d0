"""What a golden request asks, and whether an answer is the one expected. Costs no import of a runtime."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.core.decision import HALF, MULTI_LABEL
from pipeline.runtime.task import Request, Task


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
