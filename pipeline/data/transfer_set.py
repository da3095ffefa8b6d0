"""The corpus sentences of the transfer set: short, of the domain, in no held-out text."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.progress import Progress
from pipeline.core.sections import PrepareParams
from pipeline.data.records import ID_DIGITS
from pipeline.data.row_ids import Ids, id_numbers, ids_of, numbers_of
from pipeline.data.stored_rows import Rows, StoredRows
from pipeline.data.text_sequence import stored_texts
from pipeline.text.bare_words import bare_words, bare_words_of
from pipeline.text.containment import containing, equal_pairs
from pipeline.text.korean_sentences import splitter
from pipeline.text.word_counts import lacks_blanks, word_count

_STORED = pa.schema([("text", pa.string()), ("words", pa.string())])
_AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSentences:
    """Sentences of the corpus, of which some bytes each are in memory.

    Attributes:
        ids: numbers of the sentences' ids in order, `(sentences,)`. An id is the first 16 hex digits of
            SHA-256 over the bare words, which decide whether two sentences are the same.
        documents: numbers of the ids of the documents in which each was first found, `(sentences,)`.
        places: of the texts in `stored`, `(sentences,)`.
    """

    ids: Ids
    documents: Ids
    places: Rows
    stored: StoredRows

    def __len__(self) -> int:
        """How many sentences there are."""
        return len(self.ids)

    def parts(self) -> Iterator[pa.Table]:
        """The sentences in order, in tables with the columns `id`, `document` and `text`."""
        for start in range(0, len(self), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            table = self.stored.take(self.places[some], ["text"])
            table = table.append_column("id", ids_of(self.ids[some]))
            yield table.append_column("document", ids_of(self.documents[some]))


def transfer_sentences(
    documents: Iterable[pa.RecordBatch],
    held_out: Sequence[str],
    params: PrepareParams,
    *,
    count: int,
    folder: Path | None = None,
) -> TransferSentences:
    """The distinct sentences of the corpus documents, ordered by id, which is a hash.

    Sentences that equal, hold, or are part of a validation or test text (as bare words) are left
    out.

    Args:
        documents: with the columns `id` and `text`.
        held_out: the validation and test texts.
        count: how many documents there are.
        folder: where temporary files may be; None for the system's place for such files.
    """
    found = _distinct(documents, params, count=count, folder=folder)
    tables = (
        found.stored.take(found.places[start : start + _AT_ONCE], ["words"])
        for start in range(0, len(found), _AT_ONCE)
    )
    bare = stored_texts((part for table in tables for part in table["words"].chunks), folder=folder)
    others = [words.decode() for words in bare_words_of(held_out)]
    leaks = {row for row, _ in [*containing(bare, others), *equal_pairs(bare, others)]}
    leaks |= {row for _, row in containing(others, bare, min_words=1)}
    stays = np.ones(len(found), dtype=np.bool_)
    stays[[*leaks]] = False
    return TransferSentences(
        ids=found.ids[stays],
        documents=found.documents[stays],
        places=found.places[stays],
        stored=found.stored,
    )


def _distinct(
    documents: Iterable[pa.RecordBatch], params: PrepareParams, *, count: int, folder: Path | None
) -> TransferSentences:
    """Distinct sentences of the wanted length, by id, each with the first document by id."""
    names, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.uint64)]
    progress = Progress("prepare  sentences", count)
    sentences = splitter(params.sentence_ends)

    def found() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in documents:
            texts: list[str] = []
            words: list[str] = []
            counts = []
            for document in batch.column("text").to_pylist():
                before = len(texts)
                for text in sentences(document):
                    if text.count(" ") + 1 > params.max_sentence_words:
                        continue
                    bare = bare_words(text)
                    if _words_of(text, bare) >= params.min_sentence_words:
                        texts.append(text)
                        words.append(bare)
                counts.append(len(texts) - before)
                progress.update(done := done + 1)
            digests = [hashlib.sha256(line.encode()).digest() for line in words]
            names.append(id_numbers([digest[: ID_DIGITS // 2] for digest in digests]))
            owners.append(np.repeat(numbers_of(batch.column("id").to_pylist()), counts))
            yield pa.record_batch([texts, words], schema=_STORED)

    stored = StoredRows(found(), _STORED, folder=folder)
    all_names, all_owners = np.concatenate(names), np.concatenate(owners)
    order = np.lexsort((all_owners, all_names))  # of one document, the first sentence comes first
    is_first = np.append(True, np.diff(all_names[order]) > 0)[: len(order)]
    places = order[is_first]
    return TransferSentences(
        ids=all_names[places], documents=all_owners[places], places=places, stored=stored
    )


def _words_of(text: str, bare: str) -> float:
    """How many words a sentence has: between its blanks and as bare words, whichever are fewer."""
    if lacks_blanks(bare):
        return word_count(bare)
    return min(text.count(" "), bare.count(" ")) + 1
