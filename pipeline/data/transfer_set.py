"""In-domain sentences for transfer: short like the labelled texts, and none of them in a test."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from pipeline.core.params import PrepareParams
from pipeline.core.progress import track
from pipeline.data.tables import Columns
from pipeline.text.cleaning import bare_words
from pipeline.text.containment import containing, equal_pairs
from pipeline.text.sentences import sentences


def transfer_sentences(
    documents: Mapping[str, Sequence[str]], rows: Mapping[str, Sequence[str]], params: PrepareParams
) -> Columns:
    """Distinct sentences of the corpus, ordered by hash: columns `id`, `document`, `text`.

    None equals, holds, or is part of a validation or test text (as bare words).
    """
    found = dict(sorted(_distinct(documents, params).items()))
    bare = [words for _, _, words in found.values()]
    held_back = [
        bare_words(text)
        for text, split in zip(rows["text"], rows["split"], strict=True)
        if split != "train"
    ]
    leaks = {row for row, _ in [*containing(bare, held_back), *equal_pairs(bare, held_back)]}
    leaks |= {row for _, row in containing(held_back, bare, min_words=1)}
    kept = [entry for row, entry in enumerate(found.items()) if row not in leaks]
    return {
        "id": [identifier for identifier, _ in kept],
        "document": [document for _, (document, _, _) in kept],
        "text": [text for _, (_, text, _) in kept],
    }


def _distinct(
    documents: Mapping[str, Sequence[str]], params: PrepareParams
) -> dict[str, tuple[str, str, str]]:
    """Hash of the bare words → document, sentence, bare words; the first document by id wins."""
    found: dict[str, tuple[str, str, str]] = {}
    for document, text in _in_order(documents):
        for sentence in sentences(text):
            if params.min_sentence_words <= sentence.count(" ") + 1 <= params.max_sentence_words:
                words = bare_words(sentence)
                if words.count(" ") + 1 >= params.min_sentence_words:
                    identifier = hashlib.sha256(words.encode()).hexdigest()[:16]
                    found.setdefault(identifier, (document, sentence, words))
    return found


def _in_order(documents: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    pairs = sorted(zip(documents["id"], documents["text"], strict=True))
    return track(pairs, "prepare  sentences", len(pairs))
