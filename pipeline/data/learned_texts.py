"""The texts that tokenizers and language models learn from, in a temporary file and not in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.sections import PrepareParams
from pipeline.data.tables import read_batches
from pipeline.data.text_sequence import TextSequence, stored_texts
from pipeline.text.split_assignment import unit_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTexts:
    """Texts of the labelled rows, of pairs first all first texts, and of the corpus documents.

    Attributes:
        unseen: of the validation rows.
        own: of the training rows.
        train: documents to learn the language from.
        heldout: documents on which the language model is judged; a hash decides which.
        of_rows: `unseen`, then `own`.
        of_training: `own`, then `train`.
    """

    unseen: TextSequence
    own: TextSequence
    train: TextSequence
    heldout: TextSequence
    of_rows: TextSequence
    of_training: TextSequence

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self.train) + len(self.heldout)


def learned_texts(
    records: Path, corpus: Path, settings: PrepareParams, *, folder: Path | None = None
) -> LearnedTexts:
    """The texts in the tables of the labelled rows and of the corpus.

    Args:
        folder: where the temporary file is; None for the system's place for such files.
    """
    counts = []

    def parts() -> Iterator[pa.Array]:
        for found in (
            of_split(records, "validation"),
            of_split(records, "train"),
            _documents(corpus, settings, heldout=False),
            _documents(corpus, settings, heldout=True),
        ):
            count = 0
            for texts in found:
                count += len(texts)
                yield texts
            counts.append(count)

    every = stored_texts(parts(), folder=folder)
    ends = [0, *accumulate(counts)]
    unseen, own, train, heldout = (every[start:stop] for start, stop in pairwise(ends))
    return LearnedTexts(
        unseen=unseen,
        own=own,
        train=train,
        heldout=heldout,
        of_rows=every[: ends[2]],
        of_training=every[ends[1] : ends[3]],
    )


def of_split(records: Path, split: str) -> Iterator[pa.Array]:
    """First texts of a split's rows, then second ones where there are pairs."""
    for name in ("text", "second"):
        for batch in read_batches(records, [name, "split"]):
            yield batch.filter(pc.equal(batch.column("split"), split)).column(name).drop_null()


def _documents(corpus: Path, settings: PrepareParams, *, heldout: bool) -> Iterator[pa.Array]:
    """The texts of the documents to learn from, or of those held out."""
    for batch in read_batches(corpus, ["id", "text"], most=settings.max_corpus_documents):
        shares = [
            unit_hash(settings.salt, "heldout", name) for name in batch.column("id").to_pylist()
        ]
        chosen = [(share < settings.heldout_share) is heldout for share in shares]
        yield batch.column("text").filter(pa.array(chosen, pa.bool_()))
