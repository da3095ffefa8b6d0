"""Says how a checkpoint's tokenizer reads texts: what it does not know, and which texts it cuts off."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.core.families import REPLACEABLE_FAMILIES
from pipeline.core.files import read_json
from pipeline.core.sections import PrepareParams
from pipeline.data.trial import Change
from pipeline.text.known import known_letters
from pipeline.text.unknown import bare, unknown_tokens

_MOST_TEXTS = 2000
_FOREIGN_BELOW = 0.8
"""Of languages in Latin letters the English checkpoint reads 85 % and more as pieces of words; of Japanese
about 70 %, of Chinese 31 %, of other scripts up to 14 % (docs/log.md)."""
_VOCABULARY = 4096
"""Of 4,000 Korean rows a teacher learned more by 4,000 tokens than by 8,000, which are seen too seldom."""
_UNKNOWN = ("[UNK]", "<unk>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Shares of texts that a tokenizer reads badly.

    Attributes:
        unknown: share of the tokens that are unknown.
        known: share of the letters that are read as more than single letters.
        cut: share of the texts that are longer than the most tokens that are read.
    """

    unknown: float
    known: float
    cut: float

    @property
    def is_foreign(self) -> bool:
        """Whether the checkpoint does not know the language of the texts."""
        return self.known < _FOREIGN_BELOW


def reading_of(texts: Sequence[str], tokenizer: Path, *, max_length: int) -> Reading | None:
    """How the tokenizer in a file reads the texts, of which it takes the first 2,000.

    None where there is no such file: a checkpoint on a hub has not been fetched yet.
    """
    if not tokenizer.is_file():
        return None
    reads = bare(Tokenizer.from_file(str(tokenizer)))
    some = texts[:_MOST_TEXTS]
    lengths = [len(encoding.ids) for encoding in reads.encode_batch([*some])]
    unknown = next((token for token in _UNKNOWN if reads.token_to_id(token) is not None), None)
    return Reading(
        unknown=unknown_tokens(reads, some, unknown=unknown).share,
        known=known_letters(reads, some, unknown=unknown),
        cut=sum(length > max_length for length in lengths) / max(len(lengths), 1),
    )


def is_replaceable(checkpoint: Path) -> bool:
    """Whether the checkpoint in a folder is of a family that can read by another tokenizer."""
    config = checkpoint / "config.json"
    return config.is_file() and read_json(config).get("model_type") in REPLACEABLE_FAMILIES


def changes_of(
    reading: Reading | None, prepare: PrepareParams, *, replaceable: bool = True
) -> list[Change]:
    """Changes of the recipe for texts that the checkpoint does not know all of.

    The student reads bytes, which know every character. The teacher goes on with what it knows; where
    that is not the language, it learns the words with the student's tokenizer.

    Args:
        replaceable: whether the checkpoint is of a family that can read by another tokenizer.
    """
    if reading is None or prepare.teacher_tokenizer == "student":
        return []
    if reading.is_foreign and replaceable:
        why = (
            f"the checkpoint reads {1 - reading.known:.0%} of the letters one by one, or not at all: it does"
            " not know the language, and the teacher learns its words from these texts"
        )
        tokens = Change(
            key="prepare.vocabulary_size", value=_VOCABULARY, why="few texts teach few words"
        )
        return [
            Change(key="prepare.teacher_tokenizer", value="student", why=why),
            Change(key="prepare.tokenizer", value="byte_bpe", why="bytes know every character"),
            tokens,
        ]
    if reading.unknown <= prepare.max_unknown_share or prepare.tokenizer == "byte_bpe":
        return []
    why = f"{reading.unknown:.1%} of the tokens are unknown to the checkpoint; bytes know every character"
    return [Change(key="prepare.tokenizer", value="byte_bpe", why=why)]
