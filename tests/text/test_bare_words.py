"""Bare words are equal for copies that differ in form; symbols tell those apart that differ in meaning."""

import pytest

from pipeline.text.bare_words import bare_words, words_and_symbols


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A GOOD film!", "a good film"),
        ("café", "cafe\u0301"),
        ("배송", "\u1107\u1162\u1109\u1169\u11bc"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("葛\U000e0100城", "葛城"),
        ("Good :)", "good 👍"),
    ],
)
def test_copies_that_differ_in_form_are_equal(one: str, other: str) -> None:
    assert bare_words(one) == bare_words(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("மீண்டும் வேண்டும்", "மீண்டும் வேண்டாம்"),
        ("อาหารร้านนี้ดีมาก", "อาหารร้านนี้ดุมาก"),
        ("खाना मिला", "खाना मैला"),
        ("दिन भर", "दीन भर"),
        ("यह पल", "यह पुल"),
        ("അവന്\u200d", "അവന്"),
    ],
)
def test_words_that_differ_in_a_vowel_sign_or_a_joiner_are_not(one: str, other: str) -> None:
    assert bare_words(one) != bare_words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I know C++", "I know C#"),
        ("배송 👍", "배송 👎"),
        ("Good :)", "Good :("),
        ("Good:-)", "Good ;("),
        ("good (:", "good ):"),
        ("5 ★★★★★", "5 ★☆☆☆☆"),
        ("up 3%", "up 3"),
        ("love <3", "love 3"),
        ("맛있다 ^^", "맛있다 --"),
    ],
)
def test_symbols_tell_texts_of_equal_words_apart(one: str, other: str) -> None:
    assert bare_words(one) == bare_words(other)
    assert words_and_symbols(one) != words_and_symbols(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Good film.", "good  film!!"),
        ("a `good' film", "a 'good' film"),
        ("Good 👍🏽", "Good 👍"),
        ("Love it ❤️", "love it ❤"),
        ("Good：）", "good :)"),
    ],
)
def test_punctuation_skin_tones_and_variants_do_not(one: str, other: str) -> None:
    assert words_and_symbols(one) == words_and_symbols(other)
