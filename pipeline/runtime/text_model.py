"""Answers texts with an ONNX model: the one path that gate, release and server all use.

`predict` and `answer` read what a caller sends, `scores` what validate has cleaned already. By rules 2 of
cleaning or older ones, twice is not always once: a line break that stands for a paragraph would become a space.

Each text runs alone at its exact length. Dynamic int8 scales its activations over the whole batch,
so the same text would get another answer beside other texts or with padding.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import unusable
from pipeline.problem.prediction import Prediction
from pipeline.problem.probabilities import Scores
from pipeline.runtime.bundle import MODEL, TOKENIZER, Bundle
from pipeline.runtime.file_bytes import FileBytes
from pipeline.runtime.reader import TextReader, TokenRow
from pipeline.runtime.session import open_session
from pipeline.runtime.task import Request, Task

Ids = npt.NDArray[np.int64]

INPUTS = ("attention_mask", "input_ids")
SEGMENTS = "token_type_ids"


class TextModel:
    """An ONNX model of texts with its tokenizer. Safe to use from several threads.

    Args:
        model: ONNX file, or its bytes; inputs `input_ids`, `attention_mask` and, where it tells the texts of a
            pair apart, `token_type_ids`, int64 `(batch, length)`; output `logits` `(batch,
            outputs)`.
        threads: threads of ONNX Runtime, at most the cores this process may use; None takes those.
    """

    def __init__(
        self,
        model: Path | FileBytes,
        tokenizer: Path | FileBytes,
        *,
        task: Task,
        threads: int | None = None,
    ) -> None:
        self.task = task
        self._reader = TextReader(
            tokenizer, max_length=task.max_length, window_stride=task.window_stride
        )
        self._session = open_session(model, threads)
        self.segments = SEGMENTS in (node.name for node in self._session.get_inputs())
        self._check_shape(model.name)

    @classmethod
    def from_bundle(cls, bundle: Bundle, threads: int | None = None) -> Self:
        """The model of a verified bundle; `threads` default to those its latency was measured with."""
        threads = threads or bundle.threads
        return cls(bundle.model, bundle.tokenizer, task=bundle.task, threads=threads)

    @classmethod
    def in_folder(cls, folder: Path, *, task: Task, threads: int) -> Self:
        """The model in a folder that export or quantize wrote."""
        return cls(folder / MODEL, folder / TOKENIZER, task=task, threads=threads)

    def predict(self, requests: Sequence[Request]) -> list[Prediction]:
        """One prediction for each request as a caller sends it, in order."""
        return [self.answer(request) for request in requests]

    def answer(self, request: Request) -> Prediction:
        """The prediction for one request as a caller sends it: its texts are cleaned as the data were.

        Raises:
            DataError: nothing is left of a text, or the first of a pair leaves no room for the second.
        """
        rows, truncated = self._reader.read(request, cleaning=self.task.cleaning)
        return self.task.kind.prediction(
            self._score(rows)[None],
            labels=self.task.labels,
            decision=self.task.decision,
            truncated=truncated,
        )

    def scores(self, requests: Sequence[Request]) -> Scores:
        """Scores of rows of the data, which are clean, `(requests, outputs)`; see the problem's `scores`.

        A row that a caller sends as it was collected gets the same ones from `answer`.
        """
        rows = [self._scores_of_one(request) for request in requests]
        return np.array(rows, dtype=np.float64).reshape(len(requests), len(self.task.labels))

    def scores_of_each(self, requests: Iterable[Request], *, workers: int) -> Iterator[Scores]:
        """Scores `(outputs,)` of each row of the data, in order; `workers` of them at a time.

        Each is computed alone, so with `threads=1` the figures do not depend on `workers`.
        """
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(self._scores_of_one, requests)

    def read(self, request: Request) -> tuple[list[TokenRow], bool]:
        """The rows of tokens of a row of the data, and whether a part of it was left out."""
        return self._reader.read(request)

    def outputs(self, row: TokenRow) -> npt.NDArray[np.float32]:
        """Raw outputs of one row of tokens, `(outputs,)`."""
        ids = np.array([row.ids], dtype=np.int64)
        segments = np.array([row.segments], dtype=np.int64) if self.segments else None
        found: npt.NDArray[np.float32] = self.outputs_together(ids, np.ones_like(ids), segments)[0]
        return found

    def outputs_together(
        self, input_ids: Ids, attention_mask: Ids, segments: Ids | None
    ) -> npt.NDArray[np.float32]:
        """Raw outputs of one run, `(batch, outputs)`; arguments `(batch, length)`.

        Answers come from one row at its exact length. More rows, or padding, are only for measuring
        what they would change.
        """
        feed = {"input_ids": input_ids, "attention_mask": attention_mask}
        if segments is not None:
            feed[SEGMENTS] = segments
        found: npt.NDArray[np.float32] = self._session.run(["logits"], feed)[0]
        return found

    def warm_up(self) -> None:
        """Runs the shortest and the longest input, so that the first caller does not wait."""
        long = "warm up " * self.task.max_length
        self.predict([("warm up", "warm up"), ("warm up", long)] if self.task.pairs
                     else ["warm up", long])  # fmt: skip

    def _scores_of_one(self, request: Request) -> Scores:
        return self._score(self.read(request)[0])

    def _score(self, rows: list[TokenRow]) -> Scores:
        """Scores from the mean of the windows' outputs, `(outputs,)`."""
        found = [self.outputs(row) for row in rows]
        return self.task.kind.scores(found[0] if len(found) == 1 else np.mean(found, axis=0))

    def _check_shape(self, name: str) -> None:
        inputs = {node.name for node in self._session.get_inputs()}
        outputs = {node.name: node.shape[-1] for node in self._session.get_outputs()}
        # A width that the graph leaves open is a name here; `zip` then checks the first answer.
        width, wanted = outputs.get("logits"), len(self.task.labels)
        fits = width == wanted or not isinstance(width, int)
        fits = fits and self.task.kind.labels_fault(self.task.labels) is None
        if inputs - {SEGMENTS} != {*INPUTS} or "logits" not in outputs or not fits:
            raise unusable(
                f"{name} with inputs {sorted(inputs)} and outputs {outputs}",
                expected=f"inputs attention_mask, input_ids (and {SEGMENTS}), output logits of {wanted}",
            )
