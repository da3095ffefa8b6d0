"""A sentence has as many words as an English one that says as much, whatever its script."""

import numpy as np
import pytest

from pipeline.text.bare_words import bare_words
from pipeline.text.word_counts import (
    dense_letters,
    has_dense_letter,
    lacks_blanks,
    with_blanks,
    word_count,
)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param("", 0, 0, id="nothing"),
        pytest.param("A warm, funny film.", 4, 4, id="English, exactly"),
        pytest.param("यह बहुत अच्छी फ़िल्म है", 5, 5, id="Hindi, exactly"),
        pytest.param("배송이 정말 빨라요", 4, 5, id="three words of Korean"),
        pytest.param("정말 재미있어요", 2, 3.9, id="two words of Korean"),
        pytest.param("이영화정말재미있어요", 4, 5, id="Korean without its blanks"),
        pytest.param("この映画は本当に面白かった", 5, 9, id="this film was really interesting"),
        pytest.param("おもしろかった", 1, 3.9, id="was interesting, in kana"),
        pytest.param("这家餐厅的菜真好吃", 5, 9, id="the dishes of this restaurant taste good"),
        pytest.param("非常好", 1, 3.9, id="very good, in Chinese"),
        pytest.param("อาหารร้านนี้ดีมาก", 4, 7, id="the food of this place is very good"),
        pytest.param("ดีมาก", 1, 3.9, id="very good, in Thai"),
        pytest.param("ອາຫານແຊບຫຼາຍ", 3, 6, id="Lao"),
        pytest.param("អាហារនេះឆ្ងាញ់ណាស់", 4, 7, id="Khmer"),
        pytest.param("အစားအစာအရမ်းကောင်းတယ်", 4, 9, id="Burmese"),
    ],
)
def test_words_are_counted_as_an_english_text_would_have_them(
    text: str, least: float, most: float
) -> None:
    assert least <= word_count(bare_words(text)) <= most


def test_letters_of_scripts_without_blanks_stand_alone_with_their_marks() -> None:
    assert with_blanks("iphone15は最高") == "iphone15 は 最 高"
    assert with_blanks("ดีมาก ok") == "ดี ม า ก ok"
    for text in ("a warm film", "배송이 정말 빨라요", "यह पल", ""):
        assert with_blanks(text) == text
        assert not lacks_blanks(text)


def test_hangul_syllables_han_letters_and_kana_are_dense_and_no_others() -> None:
    dense, others = "가힣映々〇𠀀豈かゟカー", "az é\u110f\u1161ㅋᄀดယय、・😀!\U0010ffff"
    assert all(map(has_dense_letter, dense))
    assert not has_dense_letter(others)
    codes = np.array([ord(letter) for letter in dense + others], dtype=np.uint32)
    assert dense_letters(codes).tolist() == [True] * len(dense) + [False] * len(others)
    assert dense_letters(codes[:0]).tolist() == []
