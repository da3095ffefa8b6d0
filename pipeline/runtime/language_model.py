"""Runs a language model: how likely a text is, which word comes next, which word fills a blank.

Needs nothing but ONNX Runtime. A bidirectional model factors a text by the chain rule, so its
answers are probabilities, and bits add up. A masked model only says how well a token fits the text
around it; that is called a score here.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.core.cleaning import clean
from pipeline.core.errors import DataError, unusable
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.costs import TokenCost, bits_of, by_piece, log_softmax, softmax
from pipeline.runtime.file_bytes import FileBytes
from pipeline.runtime.long_text import beginning_of, encode, head, tail
from pipeline.runtime.reader import open_tokenizer
from pipeline.runtime.run_times import RunTimes
from pipeline.runtime.session import open_session

Family = Literal["bilm", "bert"]
Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")
Runs = Generator[int, None, Result]
"""Does one run of the model after the other; between two it yields how many may be left at most."""

_MAX_PIECES = 6
_HALF_CHARACTER = "\ufffd"
"""Bytes that are not a whole character are decoded to this."""
BYTES_A_RUN = 16_000_000
"""Bytes of logits that one run gives at most; a row of many tokens may give more by itself."""
_WORDS = 8
_WARM_UP = "warm up"


def finished(runs: Runs[Result]) -> Result:
    """The result of runs, done one after the other."""
    while True:
        try:
            next(runs)
        except StopIteration as end:
            result: Result = end.value
            return result


@dataclass(frozen=True, kw_only=True)
class TextCost:
    """The cost of a text in bits, token by token and in total.

    Attributes:
        bits: total of the text with its end. For a masked model it is the sum of scores, which is
            not the probability of the text and does not compare with the sum of another tokenizer.
        backward_bits: the total from right to left; None for a masked model.
        is_probability: whether 2 to the minus `bits` is the probability of the text. It is not for
            a masked model, a text that was cut, or a text with an unknown token.
        truncated: the text was longer than the model reads.
        text: the text in which the tokens stand, one after the other: cleaned, as far as it is read.
    """

    tokens: list[TokenCost]
    bits: float
    backward_bits: float | None
    is_probability: bool
    truncated: bool
    text: str


@dataclass(frozen=True)
class Word:
    """A candidate word with its probability (bilm) or score (bert)."""

    text: str
    probability: float


class LanguageModel:
    """An ONNX language model with its tokenizer. Safe to use from several threads.

    Args:
        model: ONNX file, or its bytes; inputs `input_ids` and `attention_mask`, outputs `after` and `before`
            (bilm) or `here` (bert), and `states`.
        max_length: tokens read of a text, special tokens included.
        cleaning: number of the rules by which texts are cleaned first, as those of the training data were;
            0 reads them as they come.
    """

    def __init__(
        self,
        model: Path | FileBytes,
        tokenizer: Path | FileBytes,
        *,
        max_length: int,
        cleaning: int = 0,
        threads: int | None = None,
    ) -> None:
        self._session = open_session(model, threads)
        self._tokenizer = open_tokenizer(tokenizer)
        self.max_length, self._cleaning = max_length, cleaning
        names = [output.name for output in self._session.get_outputs()]
        if {"after", "before", "states"} <= set(names):
            self.family: Family = "bilm"
        elif {"here", "states"} <= set(names):
            self.family = "bert"
        else:
            raise unusable(
                f"{model.name} with the outputs {', '.join(names)}",
                expected="after, before and states, or here and states",
            )
        special = [self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[MASK]")]
        found = [number for number in special if number is not None]
        if len(found) < len(special):
            raise unusable(
                f"{tokenizer.name} without [CLS], [SEP] or [MASK]",
                expected="the tokenizer that the language model was trained with",
            )
        self._first, self._end, self._mask = found
        self._unknown = self._tokenizer.token_to_id("[UNK]")

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self | None:
        """The language model of a verified bundle; None where it has none."""
        if bundle.language_model is None:
            return None
        task = bundle.task
        return cls(*bundle.language_model, max_length=task.max_length, cleaning=task.cleaning)

    def warm_up(self) -> None:
        """Runs the model once, so that the first caller does not wait.

        Raises:
            ArtifactError: it gives no finite costs.
        """
        found = self.cost(_WARM_UP)
        if not np.isfinite(found.bits):
            raise unusable(
                f"a language model for which {_WARM_UP!r} costs {found.bits} bits",
                expected="a finite number of bits",
            )

    def run_times(self) -> RunTimes:
        """Measures how long a run of one row takes, by its tokens; some twenty runs."""
        output = "here" if self.family == "bert" else "after"
        return RunTimes.measure(
            lambda tokens: self._run([[self._mask] * tokens], output), longest=self.max_length
        )

    def cost(self, text: str) -> TextCost:
        """The cost of `text` in bits, token by token."""
        return finished(self.cost_runs(text))

    def cost_runs(self, text: str) -> Runs[TextCost]:
        """The runs that `cost` takes: one, or for a masked model one for some tokens each."""
        text, ids, spans, truncated = self._encode(text)
        if self.family == "bert":
            bits, backward = (yield from self._masked_bits(ids)), None
            costs = by_piece(text, spans, bits=bits, backward=None)
        else:
            after, before = self._run([[self._end, *ids, self._end]], "after", "before")
            bits = bits_of(after[0, :-1], [*ids, self._end])
            backward = bits_of(before[0, 1:], [self._end, *ids])
            costs = by_piece(text, spans, bits=bits[:-1], backward=backward[1:])
            costs.append(TokenCost("", float(bits[-1]), float(backward[0])))
        return TextCost(
            tokens=costs,
            bits=float(bits.sum()),
            backward_bits=None if backward is None else float(backward.sum()),
            is_probability=backward is not None and not truncated and self._unknown not in ids,
            truncated=truncated,
            text=text,
        )

    def next_words(self, context: str, *, count: int = _WORDS) -> list[Word]:
        """The likeliest words after `context`, likeliest first; see `next_words_runs`."""
        return finished(self.next_words_runs(context, count=count))

    def next_words_runs(self, context: str, *, count: int = _WORDS) -> Runs[list[Word]]:
        """The runs that `next_words` takes: one for the first token, and some for each word.

        If `context` is longer than the model reads, its end is read. A word of several tokens is
        completed greedily; its probability is the product of its tokens' probabilities. Each first
        token gives one word.
        """
        context = self._cleaned(context).rstrip()
        ids = tail(self._tokenizer, context, tokens=self.max_length - _MAX_PIECES - 2)
        first = self._next(ids)
        best: dict[str, float] = {}
        for number, token in enumerate(np.argsort(-first)[: 2 * count]):
            left = (2 * count - number) * (_MAX_PIECES - 1)
            completed = self._complete(ids, int(token), float(first[token]), left=left)
            word, share = yield from completed
            if word.strip():
                best[word.strip()] = max(best.get(word.strip(), 0.0), share)
        ranked = sorted(best.items(), key=lambda entry: -entry[1])
        return [Word(text, share) for text, share in ranked[:count]]

    def fill(self, text: str, *, blank: str = "___", count: int = _WORDS) -> list[Word]:
        """The tokens that fit the one `blank` in `text` best, best first; see `fill_runs`."""
        return finished(self.fill_runs(text, blank=blank, count=count))

    def fill_runs(self, text: str, *, blank: str = "___", count: int = _WORDS) -> Runs[list[Word]]:
        """The runs that `fill` takes: one, or for a bidirectional model two.

        A bidirectional model multiplies its expectations from the left and from the right, which
        gives a score too. If `text` is longer than the model reads, the part nearest to the blank
        is read.

        Raises:
            DataError: `text` has no blank, or several.
        """
        text = self._cleaned(text)
        left, _, right = text.partition(blank)
        if text.count(blank) != 1:
            raise DataError(
                f"a text with {text.count(blank)} blanks",
                expected=f"one blank, written {blank}",
                next_step=f'send for example {{"text": "a {blank} film"}}',
            )
        before = tail(self._tokenizer, left.rstrip(), tokens=self.max_length)
        after = self._ids_from_start(right)
        room = self.max_length - 3
        behind = min(len(after), max(room // 2, room - len(before)))
        before, after = before[max(0, len(before) - (room - behind)) :], after[:behind]
        if self.family == "bert":
            row = [self._first, *before, self._mask, *after, self._end]
            (here,) = self._run([row], "here")
            scores = softmax(here[0, len(before) + 1])
        else:
            (lefts,) = self._run([[self._end, *before]], "after")
            yield 1
            (rights,) = self._run([[*after, self._end]], "before")
            scores = softmax(log_softmax(lefts[0, -1]) + log_softmax(rights[0, 0]))
        found: list[Word] = []
        for token in np.argsort(-scores):
            word = self._tokenizer.decode([int(token)]).strip()
            if word and not word.startswith("##") and _HALF_CHARACTER not in word:
                found.append(Word(word, float(scores[token])))
            if len(found) == count:
                break
        return found

    def embeddings_runs(self, text: str) -> Runs[tuple[list[str], Floats]]:
        """The one run that `embeddings` takes."""
        yield from ()
        return self.embeddings(text)

    def embeddings(self, text: str) -> tuple[list[str], Floats]:
        """The tokens of `text` and their states in every layer, `(layers + 1, tokens, width)`."""
        text, ids, spans, _ = self._encode(text)
        (states,) = self._run([[self._first, *ids, self._end]], "states")
        return [text[start:end] for start, end in spans], states[:, 0, 1:-1].astype(np.float64)

    def _complete(
        self, ids: list[int], token: int, share: float, *, left: int
    ) -> Runs[tuple[str, float]]:
        """The word that begins with `token`, or "" if it ends in half a character; its probability."""
        pieces = [token]
        while len(pieces) < _MAX_PIECES:
            yield left - len(pieces) + 1
            probabilities = self._next([*ids, *pieces])
            best = int(probabilities.argmax())
            if not self._continues(pieces, best):
                break
            pieces.append(best)
            share *= float(probabilities[best])
        word = self._tokenizer.decode(pieces)
        return ("" if _HALF_CHARACTER in word else word), share

    def _continues(self, pieces: list[int], token: int) -> bool:
        """Whether a token continues the word, or the character, that `pieces` begin."""
        if self.family == "bert":
            return (self._tokenizer.id_to_token(token) or "").startswith("##")
        word, longer = (self._tokenizer.decode(found) for found in (pieces, [*pieces, token]))
        added = longer[len(word) :]
        return word.endswith(_HALF_CHARACTER) or added[:1].isalpha() or added == _HALF_CHARACTER

    def _next(self, ids: Sequence[int]) -> Floats:
        """Probabilities of the next token; special tokens get 0."""
        if self.family == "bert":
            row = [self._first, *ids, self._mask, self._end]
            shares = softmax(self._run([row], "here")[0][0, -2])
        else:
            shares = softmax(self._run([[self._end, *ids]], "after")[0][0, -1])
        shares[[self._first, self._mask, self._end]] = 0.0
        return shares

    def _masked_bits(self, ids: list[int]) -> Runs[Floats]:
        """The cost of each token when it alone is masked (Salazar et al. 2020)."""
        rows = [
            [self._first, *ids[:place], self._mask, *ids[place + 1 :], self._end]
            for place in range(len(ids))
        ]
        bits = np.zeros(len(ids))
        wide = 4 * (len(ids) + 2) * self._tokenizer.get_vocab_size()
        together = max(1, BYTES_A_RUN // wide)
        for start in range(0, len(rows), together):
            if start:
                yield -(-(len(rows) - start) // together)
            (logits,) = self._run(rows[start : start + together], "here")
            for offset, scores in enumerate(logits):
                place = start + offset
                bits[place] = bits_of(scores[place + 1 : place + 2], [ids[place]])[0]
        return bits

    def _encode(self, text: str) -> tuple[str, list[int], list[tuple[int, int]], bool]:
        """The text that is read, its tokens, their characters, and whether the text was cut."""
        limit = self.max_length - 2
        beginning = beginning_of(text, cleaning=self._cleaning)
        part = head(self._tokenizer, beginning, tokens=limit + 1)
        encoding = encode(self._tokenizer, part.text)
        cut = len(encoding.ids) > limit
        read = part.text[: encoding.offsets[limit - 1][1]] if cut else part.text
        return read, encoding.ids[:limit], encoding.offsets[:limit], cut

    def _ids_from_start(self, text: str) -> list[int]:
        """The tokens of a clean text, as many as the model reads and some."""
        beginning = beginning_of(text, cleaning=0)
        part = head(self._tokenizer, beginning, tokens=self.max_length)
        return list(encode(self._tokenizer, part.text).ids[: self.max_length])

    def _cleaned(self, text: str) -> str:
        return clean(text, rules=self._cleaning) if self._cleaning else text

    def _run(self, rows: Sequence[Sequence[int]], *outputs: str) -> list[npt.NDArray[np.float32]]:
        """The named outputs for rows of equal length.

        Logits are `(rows, length, vocabulary)`, `states` `(layers + 1, rows, length, width)`.
        """
        ids = np.array(rows, dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        found: list[npt.NDArray[np.float32]] = self._session.run([*outputs], feed)
        return found
