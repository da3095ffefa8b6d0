"""Golden requests: does a model answer here as it did where it was built?"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.runtime.classifier import Classifier, Prediction


def check_golden(
    classifier: Classifier, golden: Iterable[Mapping[str, Any]], tolerance: float
) -> list[str]:
    """One sentence for each golden request that is answered otherwise; empty when all agree.

    Args:
        classifier: the model under test.
        golden: `text`, `label`, `probabilities` (label → probability) of each request.
        tolerance: largest absolute difference of a probability.
    """
    failures: list[str] = []
    for number, request in enumerate(golden, start=1):
        prediction = classifier.classify([request["text"]])[0]
        failures += [
            f"golden request {number}: {reason}"
            for reason in _differences(prediction, request, tolerance)
        ]
    return failures


def _differences(prediction: Prediction, request: Mapping[str, Any], tolerance: float) -> list[str]:
    expected: Mapping[str, float] = request["probabilities"]
    if prediction.label != request["label"]:
        return [f"label {prediction.label!r}, expected {request['label']!r}"]
    if set(expected) != set(prediction.probabilities):
        return [f"labels {sorted(prediction.probabilities)}, expected {sorted(expected)}"]
    return [
        f"probability of {label!r} is {prediction.probabilities[label]:.6f}, "
        f"expected {value:.6f} ± {tolerance:g}"
        for label, value in expected.items()
        if not _close(prediction.probabilities[label], value, tolerance)
    ]


def _close(value: float, expected: float, tolerance: float) -> bool:
    # NaN compares false with everything: it must count as a difference.
    return math.isfinite(value) and abs(value - expected) <= tolerance
