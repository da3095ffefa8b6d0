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
from pipeline.runtime.run_times import RunTimes
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
        self._ones = np.ones((1, task.max_length), dtype=np.int64)
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
        rows, truncated = self.read_sent(request)
        return self.prediction([self.outputs(row) for row in rows], truncated=truncated)

    def read_sent(self, request: Request) -> tuple[list[TokenRow], bool]:
        """The rows of tokens of a request as a caller sends it, and whether a part of it was left out.

        Raises:
            DataError: as `answer` does.
        """
        return self._reader.read(request, cleaning=self.task.cleaning)

    def prediction(
        self, outputs: Sequence[npt.NDArray[np.float32]], *, truncated: bool
    ) -> Prediction:
        """The prediction for a request from the outputs of its rows, each `(outputs,)`."""
        return self.task.kind.prediction(
            self.task.kind.scores(_mean(outputs))[None],
            labels=self.task.labels,
            decision=self.task.decision,
            truncated=truncated,
        )

    def outputs_of_sent(self, request: Request) -> tuple[npt.NDArray[np.float32], bool]:
        """Raw outputs `(outputs,)` for a request as a caller sends it, and whether a part was not read.

        Raises:
            DataError: as `answer`.
        """
        rows, truncated = self.read_sent(request)
        return _mean([self.outputs(row) for row in rows]), truncated

    def outputs_of_short(
        self, requests: Sequence[Request]
    ) -> Iterator[npt.NDArray[np.float32] | None]:
        """Raw outputs of each request, as of `outputs_of_sent`, where the model reads it whole in one row; else None.

        Each runs alone; their tokens are found for all of them first.
        """
        for row in self._reader.read_short(requests, cleaning=self.task.cleaning):
            yield None if row is None else self.outputs(row)

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
        feed = {"input_ids": np.array([row.ids], dtype=np.int64)}
        length = len(row.ids)
        feed["attention_mask"] = (
            self._ones[:, :length]
            if length <= self.task.max_length
            else np.ones((1, length), np.int64)
        )
        if self.segments:
            feed[SEGMENTS] = np.array([row.segments], dtype=np.int64)
        found: npt.NDArray[np.float32] = self._session.run(["logits"], feed)[0][0]
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

    def run_times(self) -> RunTimes:
        """Measures how long a run takes, by its tokens; some twenty runs."""
        word = self._reader.read(("a", "a") if self.task.pairs else "a")[0][0].ids[0]

        def run(tokens: int) -> None:
            self.outputs(TokenRow([word] * tokens, [0] * tokens))

        return RunTimes.measure(run, longest=self.task.max_length)

    def _scores_of_one(self, request: Request) -> Scores:
        return self.task.kind.scores(_mean([self.outputs(row) for row in self.read(request)[0]]))

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


def _mean(outputs: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The mean of the outputs of a request's windows, `(outputs,)`."""
    return outputs[0] if len(outputs) == 1 else np.mean(outputs, axis=0)
