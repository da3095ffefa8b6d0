"""Golden requests: does a model answer here as it did where it was built?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.runtime.golden import differences, golden_request
from pipeline.runtime.task import Request
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
