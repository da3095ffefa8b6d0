"""Reduces a checkpoint's WordPiece vocabulary to the tokens that the domain's texts use.

A word whose token is removed is split into shorter ones. All characters in the texts stay as tokens
of their own, so a word is unknown only if it contains a new character. Tokens that stay are the
checkpoint's own, and a model takes over their embeddings unchanged. Texts of few words leave room for
tokens that they do not use: the checkpoint's first ones, which are characters and the commonest words.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from tokenizers import Tokenizer

from pipeline.core.errors import ArtifactError, DataError
from pipeline.text.tokenizer import SPECIAL_TOKENS, framed
from pipeline.text.unknown import bare

_BATCH = 1000
_WORD = re.compile(r"[^ \n\r\t]+")
"""What stands between blanks that every WordPiece tokenizer takes for blanks."""

_CONTINUATION = "##"
_SPARE = "[unused"
"""How BERT's vocabulary names the tokens that no text has."""


@dataclass(frozen=True)
class Coverage:
    """How well a reduced vocabulary covers texts.

    Attributes:
        kept: share of the texts' original tokens that are still in the vocabulary.
        unknown: share of the texts' new tokens that are [UNK].
        added: share of the texts' new tokens that are [UNK] through the reduction alone: the whole
            vocabulary knew them.
    """

    kept: float
    unknown: float
    added: float


def cut_vocabulary(
    tokenizer: Tokenizer, texts: Sequence[str], *, size: int
) -> tuple[Tokenizer, Coverage]:
    """Keeps `size` tokens, or all: special ones, characters in use, the most frequent, then others.

    Args:
        tokenizer: WordPiece, with BERT's special tokens.

    Returns:
        The new tokenizer, special tokens first and the others in their old order; and its coverage
        of `texts`.

    Raises:
        ArtifactError: another kind of tokenizer, or `size` is too small for the characters.
    """
    described = json.loads(tokenizer.to_str())
    _check(described)
    old: dict[str, int] = described["model"]["vocab"]
    # Chosen as the teacher reads texts, which its file may cut off; covered must be all of them.
    counts = token_counts(tokenizer, texts)
    tokens = _chosen(old, counts, size=size)
    numbers = {token: number for number, token in enumerate(tokens)}
    cut = Tokenizer.from_str(json.dumps(_renumbered(described, numbers)))
    cut.post_processor = framed()
    return cut, coverage_of(tokenizer, cut, texts)


def coverage_of(whole: Tokenizer, cut: Tokenizer, texts: Sequence[str]) -> Coverage:
    """The coverage of any texts by a reduced vocabulary; padding counts nowhere."""
    words = _words(texts)
    counts, found = _tokens_of_words(whole, words), _tokens_of_words(cut, words)
    stays, unknown = cut.get_vocab(), SPECIAL_TOKENS["unk_token"]
    kept = sum(count for token, count in counts.items() if token in stays)
    total = max(1, found.total())
    return Coverage(
        kept / max(1, counts.total()),
        unknown=found[unknown] / total,
        added=max(0, found[unknown] - counts[unknown]) / total,
    )


def require_coverage(coverage: Coverage, *, of: str, min_kept: float, max_unknown: float) -> None:
    """Refuses a vocabulary that covers too little of what the whole one covers.

    Args:
        of: the name of the texts, for the message.

    Raises:
        DataError: too few tokens are kept, or too many are unknown through the reduction.
    """
    if coverage.kept >= min_kept and coverage.added <= max_unknown:
        return
    raise DataError(
        f"a cut vocabulary that keeps {coverage.kept:.2%} of the tokens in {of} as they were and"
        f" makes {coverage.added:.2%} unknown that the checkpoint knows",
        expected=f"at least {min_kept:.2%} kept (prepare.min_coverage) and at most {max_unknown:.2%}"
        " unknown (prepare.max_unknown_share)",
        next_step="raise prepare.vocabulary_size, or choose another prepare.tokenizer",
    )


def _chosen(old: dict[str, int], counts: Counter[str], *, size: int) -> list[str]:
    """The tokens that stay: special ones first, the others in their old order."""
    specials = [*SPECIAL_TOKENS.values()]
    ordinary = [token for token in old if token not in specials]
    used_tokens = [token for token in counts if token not in specials]
    in_use = {c for token in used_tokens for c in token.removeprefix(_CONTINUATION)}
    characters = {token for token in ordinary if token.removeprefix(_CONTINUATION) in in_use}
    room = size - len(specials) - len(characters)
    if room < 0:
        raise ArtifactError(
            f"prepare.vocabulary_size = {size} for {len(specials)} special tokens and"
            f" {len(characters):,} single characters",
            expected="room for all of them",
            next_step="raise prepare.vocabulary_size, or choose another prepare.tokenizer",
        )
    used = sorted(
        (token for token in ordinary if counts[token] and token not in characters),
        key=lambda token: (-counts[token], old[token]),
    )
    others = (token for token in ordinary if not counts[token] and not token.startswith(_SPARE))
    unused = [token for token in others if token not in characters]
    stay = characters.union(used[:room], unused[: max(room - len(used), 0)])
    return specials + sorted(stay, key=lambda token: old[token])


def _renumbered(described: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    """The description with new token numbers, without template, truncation and padding."""
    added = [
        token | {"id": numbers[token["content"]]}
        for token in described["added_tokens"]
        if token["content"] in numbers
    ]
    model = described["model"] | {"vocab": numbers}
    changed = {"model": model, "added_tokens": added, "post_processor": None}
    return described | changed | {"truncation": None, "padding": None}


def token_counts(tokenizer: Tokenizer, texts: Sequence[str]) -> Counter[str]:
    """How often each token stands in the texts; in their beginnings where the tokenizer cuts them.

    WordPiece never crosses a blank, so each distinct word is encoded once: that gives the same
    tokens as whole texts do, several times faster.
    """
    limit = (tokenizer.truncation or {}).get("max_length")
    if limit is None:
        return _tokens_of_words(tokenizer, _words(texts))
    known, found = dict[str, list[str]](), Counter[str]()
    plain = bare(tokenizer)
    for start in range(0, len(texts), _BATCH):
        batch = [_WORD.findall(text) for text in texts[start : start + _BATCH]]
        known |= _encoded(plain, {word for words in batch for word in words} - known.keys())
        for words in batch:
            found.update(islice(chain.from_iterable(known[word] for word in words), limit))
    return found


def _words(texts: Sequence[str]) -> Counter[str]:
    """How often each word stands in the texts."""
    return Counter(word for text in texts for word in _WORD.findall(text))


def _tokens_of_words(tokenizer: Tokenizer, words: Counter[str]) -> Counter[str]:
    """How often each token stands in texts of these words."""
    found: Counter[str] = Counter()
    for word, tokens in _encoded(bare(tokenizer), words).items():
        for token in tokens:
            found[token] += words[word]
    return found


def _encoded(plain: Tokenizer, words: Collection[str]) -> dict[str, list[str]]:
    """The tokens of each word."""
    encodings = plain.encode_batch(list(words), add_special_tokens=False)
    return dict(zip(words, (encoding.tokens for encoding in encodings), strict=True))


def _check(described: dict[str, Any]) -> None:
    kind, vocabulary = described["model"].get("type"), described["model"].get("vocab", {})
    missing = [token for token in SPECIAL_TOKENS.values() if token not in vocabulary]
    if kind != "WordPiece" or missing:
        raise ArtifactError(
            f"a {kind} tokenizer"
            + (f" without {', '.join(missing)}" if missing else "")
            + " for prepare.tokenizer: cut",
            expected="a checkpoint with BERT's WordPiece tokenizer and special tokens",
            next_step="set prepare.tokenizer: wordpiece or byte_bpe, or name another checkpoint",
        )
