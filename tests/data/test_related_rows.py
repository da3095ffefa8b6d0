"""Rows of the neighbouring task come from labelled corpus documents alone."""

import pyarrow as pa

from pipeline.data.related_rows import related_rows
from tests.support.small_reviews import params


def test_the_closing_words_of_labelled_documents_are_taken() -> None:
    documents = [
        {"id": "a", "text": "one two three four five", "label": "positive"},
        {"id": "b", "text": "no label here", "label": None},
        {"id": "c", "text": "short", "label": "negative"},
    ]
    batches = [pa.RecordBatch.from_pylist(documents[:2]), pa.RecordBatch.from_pylist(documents[2:])]
    found = related_rows(batches, params("prepare.related_words=2"))
    assert [row for table in found for row in table.to_pylist()] == [
        {"id": "a", "text": "four five", "target": [1.0]},
        {"id": "c", "text": "short", "target": [0.0]},
    ]
