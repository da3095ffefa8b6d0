"""Texts are counted by their language, each by itself, as far as letters and small words tell."""

import pytest

from pipeline.text.languages import languages_of

ENGLISH = ["This is the film that I have on my list", "Not for you", "Great cast!"]
GERMAN = ["Das ist nicht der Film, den ich sehr mag, aber die Musik ist es"]
JAPANESE = ["この映画は面白かった", "料理はとても辛かった", "最高"]


@pytest.mark.parametrize(
    ("texts", "languages"),
    [
        (ENGLISH, {"English": 3}),
        ([*ENGLISH, *GERMAN], {"English": 3, "German": 1}),
        (["Fantastic", "Great cast!"], {"a language in Latin letters": 2}),
        ([*JAPANESE, *ENGLISH], {"Japanese": 3, "English": 3}),
        (["最高的电影", "不推荐", "好看の"], {"Chinese": 2, "Japanese": 1}),
        (
            ["배송이 iPhone보다 빨라요", "좋아요", "OK"],
            {"Korean": 2, "a language in Latin letters": 1},
        ),
        (
            ["хороший фильм", "123 !!"],
            {"Russian or another language in Cyrillic": 1, "no letters": 1},
        ),
        ([], {}),
    ],
    ids=["one", "two", "untold", "kana-and-latin", "han", "hangul", "other-letters", "none"],
)
def test_each_text_is_counted_in_its_language(texts: list[str], languages: dict[str, int]) -> None:
    assert languages_of(texts) == languages


def test_words_that_several_languages_have_tell_none() -> None:
    texts = [*ENGLISH, "no die in a war", "Do as me", "La La Land"]
    assert languages_of(texts) == {"English": len(texts)}
