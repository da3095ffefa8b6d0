"""Models that answer one text at a time, tokenizer included, each in its own process."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from benchmarks.support.apart import in_own_process
from benchmarks.support.turns import Answer, Take, Turn, take_turn
from pipeline.core.variants import NAIVE_BAYES, TOKENIZER_FILE
from pipeline.models import linear
from pipeline.models.encoder import load_classifier
from pipeline.models.linear import Baseline, linear_baseline
from pipeline.runtime.reader import TextReader
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split


class Engine(Protocol):
    """A model that can be asked from this process."""

    def turns(self, threads: int) -> AbstractContextManager[Take]:
        """Starts a process with this many threads that takes turns; it ends with the block."""


class LocalEngine(ABC):
    """A model that this environment loads in a child process; picklable and hashable."""

    @abstractmethod
    def open(self, threads: int) -> Answer:
        """Loads the model; called once in its process."""

    @contextmanager
    def turns(self, threads: int) -> Iterator[Take]:
        with in_own_process(take_turn_of) as take:
            yield partial(take, self, threads)


@dataclass(frozen=True)
class TorchEngine(LocalEngine):
    """Our class of classifier in torch, float32, with the runtime's tokenizer."""

    folder: Path
    task: Task

    def open(self, threads: int) -> Answer:
        torch.set_num_threads(threads)
        model = load_classifier(self.folder, labels=list(self.task.labels)).eval()
        reader = TextReader(
            self.folder / TOKENIZER_FILE,
            max_length=self.task.max_length,
            window_stride=self.task.window_stride,
        )

        def answer(text: str) -> int:
            ids = torch.tensor([reader.read(text)[0][0].ids])
            with torch.inference_mode():
                logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            return int(logits.argmax())

        return answer


@dataclass(frozen=True)
class OnnxEngine(LocalEngine):
    """An ONNX model in the product's runtime."""

    model: Path
    tokenizer: Path
    task: Task

    def open(self, threads: int) -> Answer:
        model = TextModel(self.model, self.tokenizer, task=self.task, threads=threads)
        number_of = {label: number for number, label in enumerate(self.task.labels)}
        return lambda text: number_of[model.predict([text])[0].label or ""]


@dataclass(frozen=True)
class LinearEngine(LocalEngine):
    """NB-LR, refitted on prepare's training rows, as the pipeline keeps its answers but not the model."""

    records: Path
    regularisation: float
    task: linear.LinearTask

    def fit(self) -> Baseline:
        rows = read_split(self.records, "train")
        return linear_baseline(
            NAIVE_BAYES, rows.texts, rows.targets, self.task, regularisation=self.regularisation
        )

    def open(self, threads: int) -> Answer:
        """Fits the model; it always runs on one thread."""
        baseline = self.fit()
        return lambda text: int(np.argmax(baseline.scores([text])))

    def bytes(self) -> int:
        """Its size: the n-grams as lines of UTF-8, and a float32 for each."""
        vectorizer = getattr(self.fit().features, "__self__")  # noqa: B009  # a bound method
        return len("\n".join(vectorizer.vocabulary_).encode()) + 4 * len(vectorizer.vocabulary_)


@cache
def _opened(engine: LocalEngine, threads: int) -> Answer:
    return engine.open(threads)


def take_turn_of(engine: LocalEngine, threads: int, turn: Turn) -> list[float]:
    """Takes a turn with an engine, which is loaded once in this process."""
    return take_turn(_opened(engine, threads), turn)
