"""Rows of the neighbouring task come from labelled corpus documents alone."""

from pipeline.data.records import Record
from pipeline.data.related_rows import related_rows
from tests.support.small_reviews import params


def test_the_closing_words_of_labelled_documents_are_taken() -> None:
    documents = [
        Record(id="a", text="one two three four five", label="positive"),
        Record(id="b", text="no label here"),
        Record(id="c", text="short", label="negative"),
    ]
    assert related_rows(documents, params("prepare.related_words=2")) == [
        Record(id="a", text="four five", target=[1.0]),
        Record(id="c", text="short", target=[0.0]),
    ]
