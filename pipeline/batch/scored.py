"""The scores of requests, as one process hands them to another."""

import json
from dataclasses import dataclass

import numpy as np

from pipeline.problem.probabilities import Scores


@dataclass(frozen=True)
class Scored:
    """The answers to some requests.

    Attributes:
        scores: `(requests, outputs)`; NaN for a request that has no answer.
        truncated: numbers of the requests of which a part was not read.
        faults: number of a request → why it has no answer.
    """

    scores: Scores
    truncated: list[int]
    faults: dict[int, str]

    def notes(self) -> bytes:
        """All but the scores, as JSON."""
        told = {
            "truncated": self.truncated,
            "faults": {str(n): why for n, why in self.faults.items()},
        }
        return json.dumps(told).encode()

    @classmethod
    def from_frames(cls, notes: bytes, scores: bytes, *, outputs: int) -> "Scored":
        """The answers that another process wrote."""
        told = json.loads(notes)
        faults = {int(number): why for number, why in told["faults"].items()}
        values = np.frombuffer(scores, dtype=np.float64).reshape(-1, outputs)
        return cls(values, told["truncated"], faults)
