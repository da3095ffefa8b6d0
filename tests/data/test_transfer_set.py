"""Sentences of the corpus are long enough, in words as speakers count them, and in no held-out text."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from pipeline.core.params import parse_params
from pipeline.data.transfer_set import transfer_sentences
from tests.support.repository import parameter_values


def sentences_of(document: str, *held_out: str) -> list[str]:
    found = sentences([("d" * 16, document)], *held_out)
    return sorted(text for text, _ in found.values())


def sentences(
    documents: Sequence[tuple[str, str]], *held_out: str, at_once: int = 1
) -> dict[str, tuple[str, str]]:
    """Id of a sentence → its text, and the id of its document.

    Args:
        documents: their ids and texts.
    """
    prepare = parse_params(parameter_values()).prepare
    batches = (
        pa.record_batch([*zip(*documents[start : start + at_once], strict=True)], ["id", "text"])
        for start in range(0, len(documents), at_once)
    )
    found = transfer_sentences(batches, held_out, prepare, count=len(documents))
    rows = [row for table in found.parts() for row in table.to_pylist()]
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
    assert len(rows) == len(found)
    return {row["id"]: (row["text"], row["document"]) for row in rows}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("A fine film of its kind. So so. Well - er - no.", ["A fine film of its kind."]),
        ("この映画は本当に面白かった。面白い。", ["この映画は本当に面白かった。"]),
        ("这家餐厅的菜真好吃。不错。", ["这家餐厅的菜真好吃。"]),
        ("आधुनिक मानक हिन्दी", []),
    ],
)
def test_sentences_of_at_least_four_words_are_taken_in_every_script(
    document: str, found: list[str]
) -> None:
    assert sentences_of(document) == found


def test_a_sentence_that_holds_a_held_out_text_is_left_out_in_every_script() -> None:
    document = "昨日この映画は本当に面白かったと言った。料理はとても辛かったと思う。"
    assert sentences_of(document, "この映画は本当に面白かった") == ["料理はとても辛かったと思う。"]


@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_a_sentence_is_that_of_the_first_document_by_id_however_they_come(at_once: int) -> None:
    documents = [
        ("b" * 16, "A FINE film of its kind. It is a fine film, too."),
        ("c" * 16, "A fine film of its kind!"),
        ("a" * 16, "It is a fine film too? A fine film of its kind... A fine film, of its kind."),
    ]
    assert sorted(sentences(documents, at_once=at_once).values()) == [
        ("A fine film of its kind...", "a" * 16),
        ("It is a fine film too?", "a" * 16),
    ]


def test_documents_without_a_sentence_give_none() -> None:
    assert sentences([("a" * 16, "Short."), ("b" * 16, "")]) == {}
