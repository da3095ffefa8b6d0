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
from pipeline.runtime.session import open_session

Family = Literal["bilm", "bert"]
Floats = npt.NDArray[np.float64]

_MOST_PIECES = 6
_BATCH = 16


@dataclass(frozen=True)
class TokenCost:
    """What one token costs.

    Attributes:
        text: the token as it stands in the text; several that are parts of one character are told as
            one; empty for the end.
        bits: −log₂ of its probability from the left (bilm), or of its score in its place (bert).
        backward_bits: from the right; None for a masked model.
    """

    text: str
    bits: float
    backward_bits: float | None


@dataclass(frozen=True)
class TextCost:
    """What a text costs, token by token and in all.

    Attributes:
        bits: of the whole text with its end. For a masked model the sum of scores, which is no
            probability of the text and does not compare with that of other tokenizers.
        is_probability: whether 2 to the minus `bits` is the probability of the text.
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
            costs = _by_piece(text, encoded.spans, bits, None)
            return TextCost(costs, float(bits.sum()), None, False, encoded.truncated)
        found = self._run([[self._end, *encoded.ids, self._end]])
        after = _bits(found["after"][0, :-1], [*encoded.ids, self._end])
        before = _bits(found["before"][0, 1:], [self._end, *encoded.ids])
        costs = _by_piece(text, encoded.spans, after[:-1], before[1:])
        costs.append(TokenCost("", float(after[-1]), float(before[0])))
        return TextCost(costs, float(after.sum()), float(before.sum()), True, encoded.truncated)

    def next_words(self, context: str, *, count: int = 8) -> list[Word]:
        """The likeliest words after `context`, likeliest first.

        A word of several tokens is followed to its end greedily; its probability is the product of its
        tokens'. Words that begin with the same token are one.
        """
        ids = self._encode(context.rstrip()).ids[-(self.max_length - _MOST_PIECES - 2) :]
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
        right, which is a score too.

        Raises:
            ValueError: `text` has no blank, or several.
        """
        left, found, right = text.partition(blank)
        if not found or blank in right:
            raise ValueError(f"a text with {text.count(blank)} blanks: write {blank} once")
        before, after = self._encode(left.rstrip()).ids, self._encode(right).ids
        if self.family == "bert":
            row = [self._first, *before, self._mask, *after, self._end]
            scores = _softmax(self._run([row])["here"][0, len(before) + 1])
        else:
            lefts = self._run([[self._end, *before]])["after"][0, -1]
            rights = self._run([[*after, self._end]])["before"][0, 0]
            scores = _softmax(_log_softmax(lefts) + _log_softmax(rights))
        return self._words(scores, count)

    def embeddings(self, text: str) -> tuple[list[str], Floats]:
        """The tokens of `text`, and every layer's states of them, `(layers + 1, tokens, width)`."""
        encoded = self._encode(text)
        states = self._run([[self._first, *encoded.ids, self._end]])["states"][:, 0, 1:-1]
        return [text[start:end] for start, end in encoded.spans], states.astype(np.float64)

    def _follow(self, ids: list[int], token: int, share: float) -> tuple[str, float]:
        """A word that begins with `token`, to its end, and its probability."""
        pieces = [token]
        while len(pieces) < _MOST_PIECES:
            following = self._next([*ids, *pieces])
            best = int(following.argmax())
            if not self._continues(best):
                break
            pieces.append(best)
            share *= float(following[best])
        return self._tokenizer.decode(pieces), share

    def _continues(self, token: int) -> bool:
        """Whether a token goes on with the word before it."""
        piece = self._tokenizer.id_to_token(token) or ""
        if self.family == "bert":
            return piece.startswith("##")
        return piece[:1].isalpha() and not piece.startswith("Ġ")

    def _next(self, ids: Sequence[int]) -> Floats:
        """Probabilities of the next token; special tokens have none."""
        if self.family == "bert":
            row = [self._first, *ids, self._mask, self._end]
            shares = _softmax(self._run([row])["here"][0, -2])
        else:
            shares = _softmax(self._run([[self._end, *ids]])["after"][0, -1])
        shares[[self._first, self._mask, self._end]] = 0.0
        return shares

    def _words(self, scores: Floats, count: int) -> list[Word]:
        found = []
        for token in np.argsort(-scores):
            text = self._tokenizer.decode([int(token)]).strip()
            if text and not text.startswith("##"):
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
                bits[place] = _bits(scores[place + 1 : place + 2], [ids[place]])[0]
        return bits

    def _encode(self, text: str) -> _Encoded:
        """`text` without special tokens, cut at what the model reads."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        limit = self.max_length - 2
        cut = len(encoding.ids) > limit
        return _Encoded(encoding.ids[:limit], encoding.offsets[:limit], cut)

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


def _by_piece(
    text: str, spans: Sequence[tuple[int, int]], bits: Floats, backward: Floats | None
) -> list[TokenCost]:
    """Costs by what is seen of them: tokens that are parts of one character are one."""
    costs: list[TokenCost] = []
    reached = 0
    for place, (start, end) in enumerate(spans):
        own = None if backward is None else float(backward[place])
        if costs and start < reached:
            last = costs.pop()
            both = None if own is None or last.backward_bits is None else last.backward_bits + own
            joined = text[reached - len(last.text) : max(end, reached)]
            costs.append(TokenCost(joined, last.bits + float(bits[place]), both))
        else:
            costs.append(TokenCost(text[start:end], float(bits[place]), own))
        reached = max(reached, end)
    return costs


def _log_softmax(logits: npt.NDArray[np.float32]) -> Floats:
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def _softmax(logits: npt.NDArray[np.float32] | Floats) -> Floats:
    result: Floats = np.exp(_log_softmax(logits.astype(np.float32)))
    return result


def _bits(logits: npt.NDArray[np.float32], targets: Sequence[int]) -> Floats:
    """−log₂ of the probability of each target, `(places,)`."""
    chosen = np.take_along_axis(_log_softmax(logits), np.array(targets)[:, None], axis=-1)
    result: Floats = -chosen[:, 0] / np.log(2)
    return result
