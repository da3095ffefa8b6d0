"""What a language model is asked: how likely is this text, what comes next, what fills the blank.

Through ONNX Runtime alone. A bidirectional model factors a text by the chain rule, so its answers are
probabilities, and bits add up. A masked model has no such thing: what it says of a token is how well the
token fits what stands around it, and that is called a score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from pipeline.core.errors import ArtifactError
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.costs import TokenCost, bits_of, by_piece, log_softmax, softmax
from pipeline.runtime.session import open_session

Family = Literal["bilm", "bert"]
Floats = npt.NDArray[np.float64]

_MOST_PIECES = 6
_HALF_CHARACTER = "\ufffd"
"""What bytes that are no whole character are decoded to."""
_BATCH = 16


@dataclass(frozen=True)
class TextCost:
    """What a text costs, token by token and in all.

    Attributes:
        bits: of the whole text with its end. For a masked model the sum of scores, which is no
            probability of the text and does not compare with that of other tokenizers.
        is_probability: whether 2 to the minus `bits` is the probability of the text: not of a masked
            model, of a text that was cut, or where a token stands for all that are unknown.
        truncated: the text was longer than the model reads.
    """

    tokens: list[TokenCost]
    bits: float
    backward_bits: float | None
    is_probability: bool
    truncated: bool


@dataclass(frozen=True)
class Word:
    """A word that may stand somewhere, and the probability (bilm) or score (bert) of it there."""

    text: str
    probability: float


@dataclass(frozen=True)
class _Encoded:
    """A text in tokens; `spans` are the characters of each, from and up to."""

    ids: list[int]
    spans: list[tuple[int, int]]
    truncated: bool


class LanguageModel:
    """An ONNX language model with its tokenizer. Safe to use from several threads.

    Args:
        model: ONNX file; inputs `input_ids` and `attention_mask`, outputs `after` and `before` (bilm) or
            `here` (bert), and `states`.
        tokenizer: a `tokenizer.json`.
        max_length: tokens read of a text, special tokens included.

    Raises:
        ArtifactError: a file does not load, or the model has other outputs.
    """

    def __init__(
        self, model: Path, tokenizer: Path, *, max_length: int, threads: int | None = None
    ) -> None:
        self._session = open_session(model, threads)
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._names = [output.name for output in self._session.get_outputs()]
        self.max_length = max_length
        self.family = self._family(model)
        self._first, self._end, self._mask = (self._id(t) for t in ("[CLS]", "[SEP]", "[MASK]"))
        self._unknown = self._tokenizer.token_to_id("[UNK]")

    @classmethod
    def from_bundle(cls, bundle: Bundle, threads: int | None = None) -> Self | None:
        """The language model of a verified bundle; None where it has none."""
        if bundle.language_model is None:
            return None
        model, tokenizer = bundle.language_model
        return cls(model, tokenizer, max_length=bundle.task.max_length, threads=threads)

    def cost(self, text: str) -> TextCost:
        """What `text` costs, token by token."""
        encoded = self._encode(text)
        if self.family == "bert":
            bits = self._masked_bits(encoded.ids)
            costs = by_piece(text, encoded.spans, bits, None)
            return TextCost(costs, float(bits.sum()), None, False, encoded.truncated)
        found = self._run([[self._end, *encoded.ids, self._end]])
        after = bits_of(found["after"][0, :-1], [*encoded.ids, self._end])
        before = bits_of(found["before"][0, 1:], [self._end, *encoded.ids])
        costs = by_piece(text, encoded.spans, after[:-1], before[1:])
        costs.append(TokenCost("", float(after[-1]), float(before[0])))
        exact = not encoded.truncated and self._unknown not in encoded.ids
        return TextCost(costs, float(after.sum()), float(before.sum()), exact, encoded.truncated)

    def next_words(self, context: str, *, count: int = 8) -> list[Word]:
        """The likeliest words after `context`, or after as much of its end as the model reads, likeliest first.

        A word of several tokens is followed to its end greedily; its probability is the product of its
        tokens'. Words that begin with the same token are one.
        """
        ids = self._ids(context.rstrip())[-(self.max_length - _MOST_PIECES - 2) :]
        first = self._next(ids)
        found = []
        for token in np.argsort(-first)[: 2 * count]:
            word, share = self._follow(ids, int(token), float(first[token]))
            if word.strip():
                found.append(Word(word.strip(), share))
        best: dict[str, float] = {}
        for candidate in found:
            best[candidate.text] = max(best.get(candidate.text, 0.0), candidate.probability)
        ranked = sorted(best.items(), key=lambda entry: -entry[1])
        return [Word(text, share) for text, share in ranked[:count]]

    def fill(self, text: str, *, blank: str = "___", count: int = 8) -> list[Word]:
        """The tokens that fit the one `blank` in `text` best, best first.

        A bidirectional model's answer joins what it expects from the left with what it expects from the
        right, which is a score too. Of a text longer than the model reads, what is nearest to the blank is read.

        Raises:
            ValueError: `text` has no blank, or several.
        """
        left, found, right = text.partition(blank)
        if not found or blank in right:
            raise ValueError(f"a text with {text.count(blank)} blanks: write {blank} once")
        before, after = self._around(self._ids(left.rstrip()), self._ids(right))
        if self.family == "bert":
            row = [self._first, *before, self._mask, *after, self._end]
            scores = softmax(self._run([row])["here"][0, len(before) + 1])
        else:
            lefts = self._run([[self._end, *before]])["after"][0, -1]
            rights = self._run([[*after, self._end]])["before"][0, 0]
            scores = softmax(log_softmax(lefts) + log_softmax(rights))
        return self._words(scores, count)

    def embeddings(self, text: str) -> tuple[list[str], Floats]:
        """The tokens of `text`, and every layer's states of them, `(layers + 1, tokens, width)`."""
        encoded = self._encode(text)
        states = self._run([[self._first, *encoded.ids, self._end]])["states"][:, 0, 1:-1]
        return [text[start:end] for start, end in encoded.spans], states.astype(np.float64)

    def _around(self, before: list[int], after: list[int]) -> tuple[list[int], list[int]]:
        """The end of `before` and the beginning of `after` that fit one row beside a blank."""
        room = self.max_length - 3
        behind = min(len(after), max(room // 2, room - len(before)))
        return before[max(0, len(before) - (room - behind)) :], after[:behind]

    def _follow(self, ids: list[int], token: int, share: float) -> tuple[str, float]:
        """A word that begins with `token`, to its end, and its probability; empty where it found none."""
        pieces = [token]
        while len(pieces) < _MOST_PIECES:
            following = self._next([*ids, *pieces])
            best = int(following.argmax())
            if not self._continues(pieces, best):
                break
            pieces.append(best)
            share *= float(following[best])
        word = self._tokenizer.decode(pieces)
        return ("" if _HALF_CHARACTER in word else word), share

    def _continues(self, pieces: list[int], token: int) -> bool:
        """Whether a token goes on with the word, or with the character, that `pieces` have begun."""
        if self.family == "bert":
            return (self._tokenizer.id_to_token(token) or "").startswith("##")
        word, longer = (self._tokenizer.decode(found) for found in (pieces, [*pieces, token]))
        added = longer[len(word) :]
        return word.endswith(_HALF_CHARACTER) or added[:1].isalpha() or added == _HALF_CHARACTER

    def _next(self, ids: Sequence[int]) -> Floats:
        """Probabilities of the next token; special tokens have none."""
        if self.family == "bert":
            row = [self._first, *ids, self._mask, self._end]
            shares = softmax(self._run([row])["here"][0, -2])
        else:
            shares = softmax(self._run([[self._end, *ids]])["after"][0, -1])
        shares[[self._first, self._mask, self._end]] = 0.0
        return shares

    def _words(self, scores: Floats, count: int) -> list[Word]:
        found = []
        for token in np.argsort(-scores):
            text = self._tokenizer.decode([int(token)]).strip()
            if text and not text.startswith("##") and _HALF_CHARACTER not in text:
                found.append(Word(text, float(scores[token])))
            if len(found) == count:
                break
        return found

    def _masked_bits(self, ids: list[int]) -> Floats:
        """Each token hidden in turn, and what it costs there (Salazar et al. 2020)."""
        rows = []
        for place in range(len(ids)):
            row = [self._first, *ids, self._end]
            row[place + 1] = self._mask
            rows.append(row)
        bits = np.zeros(len(ids))
        for start in range(0, len(rows), _BATCH):
            logits = self._run(rows[start : start + _BATCH])["here"]
            for offset, scores in enumerate(logits):
                place = start + offset
                bits[place] = bits_of(scores[place + 1 : place + 2], [ids[place]])[0]
        return bits

    def _encode(self, text: str) -> _Encoded:
        """`text` without special tokens, cut at what the model reads."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        limit = self.max_length - 2
        cut = len(encoding.ids) > limit
        return _Encoded(encoding.ids[:limit], encoding.offsets[:limit], cut)

    def _ids(self, text: str) -> list[int]:
        """All tokens of `text`, none of them special."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def _run(self, rows: Sequence[Sequence[int]]) -> dict[str, npt.NDArray[np.float32]]:
        ids = np.array(rows, dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return dict(zip(self._names, self._session.run(self._names, feed), strict=True))

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ArtifactError(
                f"a tokenizer without {token}",
                expected="the tokenizer that the language model was trained with",
                next_step="build the bundle again with `make pipeline`",
            )
        return int(found)

    def _family(self, model: Path) -> Family:
        if {"after", "before", "states"} <= set(self._names):
            return "bilm"
        if {"here", "states"} <= set(self._names):
            return "bert"
        raise ArtifactError(
            f"{model.name} with the outputs {', '.join(self._names)}",
            expected="after, before and states, or here and states",
            next_step="build the bundle again with `make pipeline`",
        )
