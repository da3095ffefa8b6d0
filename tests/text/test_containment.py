"""A text is found inside another only word for word, or letter for letter in scripts without blanks."""

import random

import pytest

from pipeline.text.bare_words import bare_words
from pipeline.text.containment import candidates, containing, equal_pairs


def test_containment_is_word_for_word() -> None:
    haystacks = [bare_words(t) for t in ("I said: a warm, funny film it is!", "A warm funny filmy")]
    needles = ["a warm funny film", "warm funny", ""]
    assert containing(haystacks, needles) == [(0, 0)]
    assert containing(haystacks, needles, min_words=1) == [(0, 0), (0, 1), (1, 1)]
    assert equal_pairs(["a", "b", ""], ["b", ""]) == [(1, 0)]


@pytest.mark.parametrize("least", [1, 2, 4])
def test_every_contained_text_is_found_and_no_other(least: int) -> None:
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    words = [f"w{n}" for n in range(6)]
    texts = [" ".join(chance.choices(words, k=chance.randint(1, 30))) for _ in range(80)]
    parts = [" ".join(chance.choices(words, k=chance.randint(1, 7))) for _ in range(80)]
    assert containing([*texts, ""], ["", *parts, *texts[:5]], min_words=least) == [
        (row, place)
        for row, text in enumerate(texts)
        for place, part in enumerate(["", *parts, *texts[:5]])
        if part and part.count(" ") + 1 >= least and f" {part} " in f" {text} "
    ]


def test_texts_that_begin_alike_are_not_compared_all_with_all() -> None:
    opening = "i bought this product two weeks ago and"
    texts = [f"{opening} number {n} is {'good' if n % 2 else 'bad'}" for n in range(400)]
    shops = [f"dear shop {text} yours" for text in texts]
    assert candidates(shops, texts) == [(row, row) for row in range(400)]


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (
            "この映画は本当に面白かった",
            "昨日の夜に見ました。この映画は本当に面白かった。また見たい。",
        ),
        ("这家餐厅的菜真好吃", "昨天和朋友去吃饭，这家餐厅的菜真好吃，下次再来"),
        ("อาหารร้านนี้ดีมาก", "เมื่อวานไปกับเพื่อนอาหารร้านนี้ดีมากแนะนำเลย"),
        ("ອາຫານຮ້ານນີ້ແຊບຫຼາຍ", "ມື້ວານນີ້ອາຫານຮ້ານນີ້ແຊບຫຼາຍແທ້"),
        ("អាហារនេះឆ្ងាញ់ណាស់", "ម្សិលមិញអាហារនេះឆ្ងាញ់ណាស់ខ្ញុំចូលចិត្ត"),
        ("배송이 정말 빨라요", "어제 주문했는데 배송이 정말 빨라요! 또 살게요."),
        ("यह बहुत अच्छी फ़िल्म है", "कल देखी। यह बहुत अच्छी फ़िल्म है। फिर देखूँगा।"),
    ],
)
def test_a_sentence_inside_a_document_is_found_in_every_script(text: str, document: str) -> None:
    assert containing([bare_words(document)], [bare_words(text)]) == [(0, 0)]


@pytest.mark.parametrize(
    ("text", "document"),
    [
        pytest.param("อาหารร้านนี้ดีมาก", "อาหารร้านนี้ดุมาก", id="another vowel sign"),
        pytest.param("หนังเรื่องนี้สนุกมาก", "หนังเรื่องนี้สนุกมากิน", id="a vowel sign more"),
        pytest.param("배송이 정말 빨라요", "배송이 정말 빨라요라고", id="a longer Korean word"),
        pytest.param("面白い", "とても面白いですね", id="a phrase that is too common"),
        pytest.param("정말 좋아요", "이 집은 정말 좋아요", id="two common words of Korean"),
    ],
)
def test_other_and_common_texts_are_not(text: str, document: str) -> None:
    assert containing([bare_words(document)], [bare_words(text)]) == []
