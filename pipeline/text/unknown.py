"""Counts what a tokenizer does not know of texts: tokens that become unknown, or are left out.

A model reads an unknown token as nothing: where most are, it learns from the lengths of the texts.
Padding and special tokens are not counted, whatever the tokenizer's own file asks for.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tokenizers import Encoding, Tokenizer

from pipeline.core.errors import DataError

_BATCH = 1000
_MOST_TEXTS = 10_000
_EXAMPLES = 8
_LONGEST_EXAMPLE = 20


@dataclass(frozen=True)
class UnknownTokens:
    """The number of tokens in some texts, and of those unknown.

    Attributes:
        found: what is unknown, as it is written in the texts → how often.
    """

    tokens: int
    unknown: int
    found: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Share of the tokens; 1 where texts have none at all."""
        return self.unknown / self.tokens if self.tokens else 1.0

    @property
    def examples(self) -> str:
        """The most frequent of what is unknown, for a message."""
        named = sorted(self.found.items(), key=lambda item: (-item[1], item[0]))
        return " ".join(text[:_LONGEST_EXAMPLE] for text, _ in named[:_EXAMPLES])


def bare(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that neither pads nor cuts texts off: both are settings in tokenizer.json."""
    copied = copy.deepcopy(tokenizer)
    copied.no_padding()
    copied.no_truncation()
    return copied


def unknown_tokens(
    tokenizer: Tokenizer, texts: Sequence[str], *, unknown: str | None
) -> UnknownTokens:
    """Counts what a tokenizer does not know of the first 10,000 texts.

    Args:
        unknown: its unknown token. Where it has none, characters that no token covers are counted.
    """
    plain = bare(tokenizer)
    number = None if unknown is None else plain.token_to_id(unknown)
    tokens, found = 0, Counter[str]()
    texts = texts[:_MOST_TEXTS]
    for start in range(0, len(texts), _BATCH):
        batch = list(texts[start : start + _BATCH])
        for text, encoding in zip(
            batch, plain.encode_batch(batch, add_special_tokens=False), strict=True
        ):
            lost = _left_out(encoding, text) if number is None else []
            tokens += len(encoding.ids) + len(lost)
            found.update(lost)
            found.update(
                text[slice(*span)]
                for span, token in zip(encoding.offsets, encoding.ids, strict=True)
                if token == number
            )
    return UnknownTokens(tokens, found.total(), found)


def _left_out(encoding: Encoding, text: str) -> list[str]:
    """The characters of a text, white space aside, that no token covers."""
    covered = {place for span in encoding.offsets for place in range(*span)}
    return [c for place, c in enumerate(text) if place not in covered and not c.isspace()]


TEACHER_LIMIT = 0.25
"""A checkpoint that does not know a quarter of what it reads is one of another language."""


def require_known(
    found: UnknownTokens, *, of: str, max_share: float, limit: str, next_step: str
) -> None:
    """Refuses a tokenizer that knows too little of the product's texts.

    Args:
        of: the tokenizer, for the message.
        limit: where the limit comes from.

    Raises:
        DataError: the unknown share is above `max_share`.
    """
    if found.share <= max_share:
        return
    raise DataError(
        f"{of} does not know {found.share:.2%} of the tokens in the training and validation texts:"
        f" {found.examples}",
        expected=f"at most {max_share:.2%} ({limit})",
        next_step=next_step,
    )
