"""The texts of a comparison are the team's own, words of the vocabulary, and strings made to be misread."""

import unicodedata
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.edge.parity_texts import hostile_texts, read_texts, sentences
from tests.support.tiny_bundle import SPECIAL, WORDS, word_tokenizer

TOKENIZER = word_tokenizer([*SPECIAL, *WORDS])


def test_own_texts_come_first_and_words_of_the_vocabulary_fill_up() -> None:
    found = sentences(TOKENIZER, 20, own=["one", "two"])
    assert (len(found), found[:2]) == (20, ["one", "two"])
    assert {word for text in found[2:] for word in text.split()} <= {*SPECIAL, *WORDS}
    assert sentences(TOKENIZER, 1, own=["one", "two"]) == ["one"]
    assert found == sentences(TOKENIZER, 20, own=["one", "two"])


def test_hostile_texts_have_all_that_readers_differ_in() -> None:
    found = hostile_texts(600, special=["[SEP]"])
    together = "".join(found)
    assert all(part in together for part in ("[SEP]", "ΑΣ", "İ", "<br", "&amp;", "\u200d"))
    categories = {unicodedata.category(character) for character in together}
    assert {"Mn", "Mc", "Lo", "So", "Cn", "Co", "Cf", "Zs", "Nl"} <= categories
    assert "Cs" not in categories
    assert found == hostile_texts(600, special=["[SEP]"])


def test_texts_are_read_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one\n\ntwo\u2028three\n", encoding="utf-8")
    assert read_texts(file) == ["one", "two\u2028three"]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe"])
def test_a_file_without_texts_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(content)
    with pytest.raises(DataError):
        read_texts(file)
