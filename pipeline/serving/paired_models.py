"""Champion and candidate side by side: both answer one text, and the judge sees what differs.

Both are opened anew, with one thread each and in one thread of the system, so that neither has an
advantage, and both answer each text in an order by chance. What the judge is told of is therefore not
the time of a real answer, which waits for others, but what the models themselves take.
"""

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.core.errors import ArtifactError
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import Judge
from pipeline.judge.pair_log import Missed, PairLog
from pipeline.judge.pairs import Answered, Pair, compare
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel
from pipeline.serving.hot_swap import ServedModel, open_model

_LOGGER = logging.getLogger("modelyard.shadow")


class PairedModels:
    """A champion and a candidate with their log and judge.

    Attributes:
        served: the candidate as it would serve, for callers who ask it and for a canary's share.
    """

    def __init__(
        self, champion: ServedModel, candidate: ServedModel, *, served: ServedModel
    ) -> None:
        self._models = champion.text_model, candidate.text_model
        self._scale = champion.bundle.description.scale
        self.served = served

    @classmethod
    def open(cls, champion: ServedModel, folder: Path, candidacy: Candidacy) -> "PairedModels":
        """Loads both models; takes a moment.

        Args:
            folder: the candidate's.

        Raises:
            ArtifactError: one does not load, or they do not answer the same question.
        """
        known, new = champion.bundle, candidacy.bundle
        first = open_model(known.folder, expected_hash=known.hash, threads=1)
        second = open_model(folder, expected_hash=new, threads=1)
        require_same_question(first, second)
        return cls(first, second, served=open_model(folder, expected_hash=new))

    def pair(self, request: Request, *, wait: Callable[[], None]) -> Pair:
        """The comparison of both answers to one text; `wait` is called before each of them."""
        answers: dict[int, Answered] = {}
        order = [0, 1]
        random.shuffle(order)
        for place in order:
            wait()
            answers[place] = _answer(self._models[place], request)
        return compare(answers[0], answers[1], scale=self._scale)


class Trial:
    """The judge of one champion and one candidate, fed from their log.

    Every worker reads the same lines, its own among them, so that all come to one verdict.
    """

    def __init__(self, log: PairLog, candidacy: Candidacy) -> None:
        self._log, self._judge = log, Judge(candidacy.limits)
        self.read()

    @property
    def open(self) -> bool:
        """Whether more pairs can change the verdict."""
        return self._judge.open

    @property
    def rolled_back(self) -> bool:
        return self._judge.outcome == "roll back"

    def add(self, line: Pair | Missed) -> None:
        """Keeps a line, then takes what has come."""
        self._log.append(line)
        self.read()

    def read(self) -> None:
        """Takes what this worker and others have added."""
        for line in self._log.read_new():
            if isinstance(line, Pair):
                self._judge.take(line)


def require_same_question(champion: ServedModel, candidate: ServedModel) -> None:
    """Refuses a candidate whose answers cannot be compared with the champion's.

    Raises:
        ArtifactError: it is of another product or problem, has other labels, or reads pairs where the
            champion reads single texts.
    """
    asked, told = (
        (model.bundle.description.product, task.problem, sorted(task.labels), task.pairs)
        for model in (champion, candidate)
        for task in [model.text_model.task]
    )
    if asked != told:
        raise ArtifactError(
            f"a candidate of {told}",
            expected=f"one of {asked}, as the champion is: product, problem, labels, pairs",
            next_step="release it without a shadow: `modelyard release FOLDER`",
        )


def _answer(model: TextModel, request: Request) -> Answered:
    start = time.perf_counter()
    try:
        prediction = model.answer(request)
    # Whatever it is, it is what a caller would have met. The message could hold the text.
    except Exception as error:
        _LOGGER.warning("a model failed: %s", type(error).__name__)
        prediction = None
    return Answered(prediction=prediction, milliseconds=1000 * (time.perf_counter() - start))
