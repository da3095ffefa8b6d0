"""Korean endings take the form that the word before them asks for."""

import pytest

from pipeline.text.particles import ENDINGS, fitted


@pytest.mark.parametrize(
    ("word", "ending", "expected"),
    [
        *[("딸", "는", "은"), ("엄마", "은", "는"), ("딸", "가", "이"), ("엄마", "이", "가")],
        *[("딸", "를", "을"), ("엄마", "을", "를"), ("딸", "와", "과"), ("엄마", "과의", "와의")],
        *[
            ("남편", "로", "으로"),
            ("아내", "으로서", "로서"),
            ("딸", "으로", "로"),
            ("딸", "로", "로"),
        ],
        *[("남편", "랑", "이랑"), ("아내", "이나", "나"), ("남편", "라도", "이라도")],
        *[("남편", "였어요", "이었어요"), ("아내", "이었다", "였다"), ("남편", "예요", "이에요")],
        *[("아내", "이에요", "예요"), ("남편", "다", "이다"), ("아내", "이라고", "라고")],
    ],
)
def test_an_ending_follows_the_last_sound_of_its_word(
    word: str, ending: str, expected: str
) -> None:
    assert fitted(ending, word) == expected
    assert fitted(expected, word) == expected


@pytest.mark.parametrize("word", ["남편", "아내", "딸"])
@pytest.mark.parametrize(
    "ending", ["", "의", "에게", "도", "들은", "들이", "입니다", "인", "처럼", "까지"]
)
def test_endings_of_one_form_and_those_of_a_plural_stay(word: str, ending: str) -> None:
    assert fitted(ending, word) == ending


def test_a_word_that_does_not_end_in_hangul_leaves_its_ending_alone() -> None:
    assert fitted("는", "LGBT") == "는"


@pytest.mark.parametrize(
    "ending", ["은", "들이", "에게는", "입니다", "이었습니다", "라면", "하고도"]
)
def test_particles_and_the_copula_are_endings(ending: str) -> None:
    assert ENDINGS.fullmatch(ending)


@pytest.mark.parametrize("rest", ["기", "친구", "고등학교", "가방", "답게굴다"])
def test_the_rest_of_another_word_is_none(rest: str) -> None:
    assert not ENDINGS.fullmatch(rest)
