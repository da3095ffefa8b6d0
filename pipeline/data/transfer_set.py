"""The corpus sentences of the transfer set: short, of the domain, in no held-out text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.progress import track
from pipeline.core.sections import PrepareParams
from pipeline.data.records import Record
from pipeline.text.bare_words import bare_words
from pipeline.text.containment import containing, equal_pairs
from pipeline.text.korean_sentences import splitter
from pipeline.text.word_counts import lacks_blanks, word_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of the corpus.

    Attributes:
        id: the first 16 hex digits of SHA-256 over its bare words.
        document: id of the document that it was first found in.
        words: its bare words, which decide whether two sentences are the same.
    """

    id: str
    document: str
    text: str
    words: str


def transfer_sentences(
    documents: Sequence[Record], rows: Sequence[Record], params: PrepareParams
) -> list[Sentence]:
    """The distinct sentences of the corpus documents, ordered by id, which is a hash.

    Sentences that equal, hold, or are part of a validation or test text (as bare words) are left
    out.

    Args:
        documents: records of the corpus.
        rows: the labelled records with their splits.
    """
    found = _distinct(documents, params)
    bare = [sentence.words for sentence in found]
    held_out = [bare_words(row.text) for row in rows if row.split != "train"]
    leaks = {row for row, _ in [*containing(bare, held_out), *equal_pairs(bare, held_out)]}
    leaks |= {row for _, row in containing(held_out, bare, min_words=1)}
    return [sentence for row, sentence in enumerate(found) if row not in leaks]


def _distinct(documents: Sequence[Record], params: PrepareParams) -> list[Sentence]:
    """Distinct sentences of the wanted length, by id, each with the first document by id."""
    in_order = sorted(documents, key=lambda document: (document.id, document.text))
    found: dict[str, Sentence] = {}
    sentences = splitter(params.sentence_ends)
    for document in track(in_order, "prepare  sentences", len(in_order)):
        for text in sentences(document.text):
            if text.count(" ") + 1 > params.max_sentence_words:
                continue
            words = bare_words(text)
            if _words_of(text, words) >= params.min_sentence_words:
                name = hashlib.sha256(words.encode()).hexdigest()[:16]
                found.setdefault(
                    name, Sentence(id=name, document=document.id, text=text, words=words)
                )
    return sorted(found.values(), key=lambda sentence: sentence.id)


def _words_of(text: str, bare: str) -> float:
    """How many words a sentence has: between its blanks and as bare words, whichever are fewer."""
    if lacks_blanks(bare):
        return word_count(bare)
    return min(text.count(" "), bare.count(" ")) + 1
