"""The answer of a model to the texts of one request, whichever protocol asked."""

from dataclasses import dataclass

import orjson

from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request as TextRequest
from pipeline.serving.hot_swap import ServedModel


@dataclass(frozen=True, slots=True)
class Answer:
    """Predictions, and what they took.

    Attributes:
        read_ms: what cleaning and tokenizing took, if it was done before the request waited.
        waited_ms: from the request's arrival to its first run.
        model_ms: what its runs took.
    """

    model: ServedModel
    requests: list[TextRequest]
    predictions: list[Prediction]
    read_ms: float
    waited_ms: float
    model_ms: float

    def body(self) -> bytes:
        """The JSON that a caller gets."""
        return orjson.dumps(
            {
                "predictions": [prediction.as_dict() for prediction in self.predictions],
                "model": self.model.identity,
                "milliseconds": round(self.read_ms + self.model_ms, 3),
            }
        )

    def timing(self) -> bytes:
        """The value of the header Server-Timing."""
        return b"queue;dur=%.3f, tokens;dur=%.3f, model;dur=%.3f" % (
            self.waited_ms,
            self.read_ms,
            self.model_ms,
        )
