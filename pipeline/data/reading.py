"""Says how a checkpoint's tokenizer reads texts: what it does not know, and which texts it cuts off."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.core.sections import PrepareParams
from pipeline.data.trial import Change
from pipeline.text.unknown import TEACHER_LIMIT, bare, unknown_tokens

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

    @property
    def is_foreign(self) -> bool:
        """Whether prepare will refuse the checkpoint for these texts."""
        return self.unknown > TEACHER_LIMIT


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


def changes_of(reading: Reading | None, prepare: PrepareParams) -> list[Change]:
    """Changes of the recipe for texts that the checkpoint does not know all of.

    The student reads bytes, which know every character; the teacher goes on with what it knows.
    """
    if reading is None or prepare.tokenizer == "byte_bpe":
        return []
    if reading.unknown <= prepare.max_unknown_share:
        return []
    why = f"{reading.unknown:.1%} of the tokens are unknown to the checkpoint; bytes know every character"
    return [Change(key="prepare.tokenizer", value="byte_bpe", why=why)]
