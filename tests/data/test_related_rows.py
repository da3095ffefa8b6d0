"""Rows of a neighbouring task come from the corpus documents that have labels, and from nothing else."""

from pipeline.data.related_rows import related_rows
from tests.support.small_reviews import params


def test_the_closing_words_of_labelled_documents_are_taken() -> None:
    documents = {
        "id": ["a", "b", "c"],
        "text": ["one two three four five", "no label here", "short"],
        "label": ["positive", None, "negative"],
    }
    rows = related_rows(documents, params("prepare.related_words=2"))
    assert rows == {"id": ["a", "c"], "text": ["four five", "short"], "target": [[1.0], [0.0]]}
