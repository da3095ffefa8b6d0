"""Says what a request costs on this machine: exactly once its tokens are known, before that by its characters."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pipeline.runtime.reader import MAX_WINDOWS, TokenRow
from pipeline.runtime.run_times import RunTimes
from pipeline.runtime.task import Request, Task
from pipeline.runtime.text_model import TextModel

_CHARACTERS_A_TOKEN = 4
_SAMPLE = "The cast is superb, but the story goes nowhere. " * 20
_LONG = 16_384
"""Characters from which reading one text may take longer than a run in the event loop should."""
_LONG_MS = 50.0


@dataclass(frozen=True)
class TextCosts:
    """Milliseconds of runs and of reading, measured as the model is loaded.

    Attributes:
        read: milliseconds to clean and tokenize one character.
        most: characters of a text that are read at most.
    """

    runs: RunTimes
    read: float
    most: int
    task: Task

    @classmethod
    def measure(cls, model: TextModel) -> Self:
        """Measures a warm model; some twenty runs."""
        task, sample = model.task, ("a", _SAMPLE) if model.task.pairs else _SAMPLE
        start = time.perf_counter()
        model.read_sent(sample)
        taken = 1000 * (time.perf_counter() - start)
        windows = MAX_WINDOWS if task.window_stride else 1
        most = 2 * _CHARACTERS_A_TOKEN * task.max_length * windows + _LONG
        return cls(model.run_times(), taken / len(_SAMPLE), most, task)

    def of_rows(self, rows: Sequence[TokenRow]) -> float:
        """Milliseconds of the runs of a text's rows."""
        return sum([self.runs.of(len(row.ids)) for row in rows])

    def of_reading(self, request: Request) -> float:
        """Milliseconds until the rows of a text are known; estimated."""
        characters = characters_of(request)
        return max(_LONG_MS if characters > _LONG else 0.0, self.read * min(characters, self.most))

    def of_unread(self, request: Request) -> float:
        """Milliseconds of the runs of a text whose rows are not known yet; estimated."""
        task, tokens = self.task, characters_of(request) // _CHARACTERS_A_TOKEN + 2
        if task.window_stride is None or tokens <= task.max_length:
            return self.runs.of(tokens)
        windows = min(MAX_WINDOWS, tokens // min(task.window_stride, task.max_length) + 1)
        return windows * self.runs.of(task.max_length)


def characters_of(request: Request) -> int:
    """How long a text is, or the two of a pair together."""
    return len(request) if isinstance(request, str) else len(request[0]) + len(request[1])
