"""Golden requests: does a model answer here as it did where it was built?"""

from collections.abc import Iterable, Sequence

from pipeline.runtime.golden import GoldenRequest, differences
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel


def golden_answers(model: TextModel, requests: Sequence[Request]) -> tuple[GoldenRequest, ...]:
    """The requests with the model's own answers, for `check_golden` to compare with."""
    answers = model.predict(requests)
    return tuple(
        GoldenRequest(request=request, answer=answer)
        for request, answer in zip(requests, answers, strict=True)
    )


def check_golden(model: TextModel, golden: Iterable[GoldenRequest], tolerance: float) -> list[str]:
    """One sentence for each golden request that `model` answers otherwise; empty when all agree.

    Args:
        tolerance: largest absolute difference of a probability, or of the number.
    """
    return [
        f"golden request {number}: {reason}"
        for number, expected in enumerate(golden, start=1)
        for reason in differences(
            model.predict([expected.request])[0],
            expected.answer,
            task=model.task,
            tolerance=tolerance,
        )
    ]
