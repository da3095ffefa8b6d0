"""Tokenizers and language models learn from the texts of rows and documents, in a fixed order."""

from pathlib import Path

import pytest

from pipeline.data.learned_texts import learned_texts
from pipeline.data.records import Record, write_records
from pipeline.text.split_assignment import unit_hash
from tests.support.small_reviews import params

ROWS = [
    Record(id=f"{number:016x}", text=f"text {number}", second=second, split=split)
    for number, (split, second) in enumerate(
        [
            ("train", "a"),
            ("test", "b"),
            ("validation", "배송"),
            ("train", None),
            ("validation", "é"),
        ]
    )
]
DOCUMENTS = [Record(id=f"{number:016x}", text=f"document {number}") for number in range(60)]


@pytest.mark.parametrize("most", [None, 25, 100])
def test_texts_are_those_of_a_plain_loop(tmp_path: Path, most: int | None) -> None:
    settings = params(f"prepare.max_corpus_documents={most or 'null'}").prepare
    records, corpus = tmp_path / "records.parquet", tmp_path / "corpus.parquet"
    write_records(records, ROWS, ["id", "text", "second", "split"])
    write_records(corpus, DOCUMENTS, ["id", "text"])
    found = learned_texts(records, corpus, settings, folder=tmp_path)
    assert [*found.unseen] == ["text 2", "text 4", "배송", "é"]
    assert [*found.own] == ["text 0", "text 3", "a"]
    documents = DOCUMENTS[:most]
    held = {
        row.text
        for row in documents
        if unit_hash(settings.salt, "heldout", row.id) < settings.heldout_share
    }
    assert [*found.train] == [row.text for row in documents if row.text not in held]
    assert [*found.heldout] == [row.text for row in documents if row.text in held]
    assert found.documents == len(documents)
    assert [*found.of_rows] == [*found.unseen, *found.own]
    assert [*found.of_training] == [*found.own, *found.train]
