"""The work of a /predict request: its texts are read, then run one after the other, each alone.

No two requests, and no two texts of one, share a run: an answer must not depend on its neighbours
(pipeline/runtime/batch_invariance.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.problem.prediction import Prediction
from pipeline.runtime.reader import TokenRow
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel
from pipeline.serving.job import Work
from pipeline.serving.text_costs import TextCosts, characters_of

READ_AT_ONCE, TEXTS_AT_ONCE = 2_048, 8
"""Characters and texts of a request up to which it is read before it waits, so that its cost is known."""

Read = tuple[list[TokenRow], bool]
"""A text's rows, and whether a part of it was left out."""


@dataclass(eq=False, slots=True)
class TextWork:
    """The texts of one request on their way to answers.

    Attributes:
        read: the texts that are read.
        computed: the texts that have an answer.
    """

    model: TextModel
    costs: TextCosts
    requests: Sequence[Request]
    read: list[Read] = field(default_factory=list)
    computed: int = 0

    def read_if_short(self) -> None:
        """Reads the texts now, unless there is much of them.

        Raises:
            DataError: a text cannot be read.
        """
        requests = self.requests
        if len(requests) <= TEXTS_AT_ONCE and sum(map(characters_of, requests)) <= READ_AT_ONCE:
            self.read = list(map(self.model.read_sent, requests))

    def cost(self) -> float:
        """Milliseconds that all of it may take."""
        if self.read:
            return sum([self.costs.of_rows(rows) for rows, _ in self.read])
        return sum(
            self.costs.of_reading(request) + self.costs.of_unread(request)
            for request in self.requests
        )

    def tokens(self) -> int:
        """Tokens of the texts that are read, all windows together."""
        return sum([len(row.ids) for rows, _ in self.read for row in rows])

    def longest_run(self) -> float:
        """Milliseconds of the longest of its runs."""
        if self.read:
            return self.costs.runs.of(max([len(row.ids) for rows, _ in self.read for row in rows]))
        run = self.costs.runs.by_length[-1]
        return max(run, *(self.costs.of_reading(request) for request in self.requests))

    def runs(self) -> Work:
        """Does the work; returns a list of predictions, in order."""
        if not self.read:
            left = self.cost()
            for number, request in enumerate(self.requests):
                if number:
                    yield left
                self.read.append(self.model.read_sent(request))
                left -= self.costs.of_reading(request)
            yield self.cost()
        left, predictions, first = self.cost(), list[Prediction](), True
        for rows, truncated in self.read:
            outputs = []
            for row in rows:
                if not first:
                    yield left
                first = False
                outputs.append(self.model.outputs(row))
                left -= self.costs.runs.of(len(row.ids))
            predictions.append(self.model.prediction(outputs, truncated=truncated))
            self.computed += 1
        return predictions
