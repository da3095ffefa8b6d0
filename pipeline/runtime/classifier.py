"""Text in, label and probabilities out: the one path that gate, release and server all use.

Each text runs alone at its exact length. Dynamic int8 scales its activations over the whole batch,
so with batch-mates or padding the same text would get another answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from pipeline.core.errors import ArtifactError
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.session import open_session

_NEXT_STEP = "build the bundle again with `make pipeline`"


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: the likeliest label.
        probability: its probability, 0 to 1.
        probabilities: label → probability, in the order of the model's outputs; they sum to 1.
        truncated: the text was longer than the model reads; its end was left out.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    truncated: bool = False


class Classifier:
    """An ONNX text classifier with its tokenizer. Safe to use from several threads.

    Args:
        model: ONNX file; inputs `input_ids`, `attention_mask` int64 `(batch, length)`, output
            `logits` `(batch, labels)`.
        tokenizer: a `tokenizer.json`.
        labels: names of the outputs, in order.
        max_length: tokens read of a text, special tokens included.
        threads: threads of ONNX Runtime; None takes the cores this process may use.

    Raises:
        ArtifactError: a file does not load, or the model has other inputs or outputs.
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Path,
        *,
        labels: Sequence[str],
        max_length: int,
        threads: int | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self.max_length = max_length
        self._tokenizer = _open_tokenizer(tokenizer, max_length)
        self._session = open_session(model, threads)
        self._check_shape(model)

    @classmethod
    def from_bundle(cls, bundle: Bundle, threads: int | None = None) -> Self:
        """The classifier of a verified bundle."""
        return cls(
            bundle.model,
            bundle.tokenizer,
            labels=bundle.labels,
            max_length=bundle.max_length,
            threads=threads,
        )

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text, in order."""
        return [self._classify_one(text) for text in texts]

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probabilities `(texts, labels)`."""
        rows = [softmax(self.logits(self.encode(text)[0])) for text in texts]
        return np.array(rows, dtype=np.float64).reshape(len(texts), len(self.labels))

    def probabilities_of_each(
        self, texts: Iterable[str], *, workers: int
    ) -> Iterator[npt.NDArray[np.float64]]:
        """Probabilities `(labels,)` of each text, in order; `workers` texts at a time.

        Each is computed alone, so with `threads=1` the figures do not depend on `workers`.
        """
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(lambda text: softmax(self.logits(self.encode(text)[0])), texts)

    def encode(self, text: str) -> tuple[list[int], bool]:
        """Token ids, at most `max_length`, and whether the text was longer."""
        encoding = self._tokenizer.encode(text)
        return encoding.ids, bool(encoding.overflowing)

    def logits(self, token_ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Raw outputs `(labels,)` for one encoded text."""
        input_ids = np.array([token_ids], dtype=np.int64)
        feed = {"input_ids": input_ids, "attention_mask": np.ones_like(input_ids)}
        row: npt.NDArray[np.float32] = self._session.run(["logits"], feed)[0][0]
        return row

    def warm_up(self) -> None:
        """Run the shortest and the longest input, so that the first caller does not wait."""
        self.classify(["warm up", "warm up " * self.max_length])

    def _classify_one(self, text: str) -> Prediction:
        token_ids, truncated = self.encode(text)
        values = [float(p) for p in softmax(self.logits(token_ids))]
        best = int(np.argmax(values))
        return Prediction(
            label=self.labels[best],
            probability=values[best],
            probabilities=dict(zip(self.labels, values, strict=True)),
            truncated=truncated,
        )

    def _check_shape(self, model: Path) -> None:
        inputs = sorted(node.name for node in self._session.get_inputs())
        outputs = {node.name: node.shape[-1] for node in self._session.get_outputs()}
        # A width the graph leaves open shows as a name; the first answer is then checked by zip.
        width = outputs.get("logits")
        fits = not isinstance(width, int) or width == len(self.labels)
        if inputs != ["attention_mask", "input_ids"] or "logits" not in outputs or not fits:
            raise ArtifactError(
                f"{model.name} with inputs {inputs} and outputs {outputs}",
                expected=f"inputs attention_mask, input_ids; output logits of {len(self.labels)}",
                next_step=_NEXT_STEP,
            )


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Probabilities over the last axis, in float64 so that they sum to 1 within 1e-15."""
    wide = logits.astype(np.float64)
    exponent = np.exp(wide - wide.max(axis=-1, keepdims=True))
    result: npt.NDArray[np.float64] = exponent / exponent.sum(axis=-1, keepdims=True)
    return result


def _open_tokenizer(path: Path, max_length: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # tokenizers raises a bare Exception for a file it cannot read.
    except Exception as error:
        raise ArtifactError(
            f"{path.name} does not load: {error}",
            expected="a tokenizer.json of the tokenizers library",
            next_step=_NEXT_STEP,
        ) from error
    # A saved tokenizer may carry the padding or length of its training.
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_length)
    return tokenizer
