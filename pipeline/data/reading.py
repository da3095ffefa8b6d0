"""Says how a checkpoint's tokenizer reads texts: what it does not know, and which texts it cuts off."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.text.unknown import bare, unknown_tokens

_MOST_TEXTS = 2000
_UNKNOWN = "[UNK]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Shares of texts that a tokenizer reads badly.

    Attributes:
        unknown: share of the tokens that are unknown.
        cut: share of the texts that are longer than the most tokens that are read.
    """

    unknown: float
    cut: float


def reading_of(texts: Sequence[str], tokenizer: Path, *, max_length: int) -> Reading | None:
    """How the tokenizer in a file reads the texts, of which it takes the first 2,000.

    None where there is no such file: a checkpoint on a hub has not been fetched yet.
    """
    if not tokenizer.is_file():
        return None
    reads = bare(Tokenizer.from_file(str(tokenizer)))
    some = texts[:_MOST_TEXTS]
    lengths = [len(encoding.ids) for encoding in reads.encode_batch([*some])]
    unknown = _UNKNOWN if reads.token_to_id(_UNKNOWN) is not None else None
    return Reading(
        unknown=unknown_tokens(reads, some, unknown=unknown).share,
        cut=sum(length > max_length for length in lengths) / max(len(lengths), 1),
    )
