"""Words for groups of people: found as words, and exchanged for those of another group."""

import pytest

from pipeline.core.term_lists import term_lists_fault
from pipeline.text.identity_terms import BUILT_IN, Kind, chosen_terms
from pipeline.text.term_finding import TermFinder

FINDER = TermFinder(chosen_terms({}))


def swapped(text: str, language: str, kind: str) -> str | None:
    found = FINDER.swapped(text).get(Kind(language, kind))
    return None if found is None else found[0]


def groups(text: str) -> set[str]:
    return {term.group for term in FINDER.found(text)}


@pytest.mark.parametrize("language", BUILT_IN)
def test_every_list_is_whole_and_names_no_word_for_two_groups(language: str) -> None:
    assert term_lists_fault({language: BUILT_IN[language]}) is None
    assert {"gender", "religion", "origin", "age", "disability", "orientation"} <= set(
        BUILT_IN[language]
    )


@pytest.mark.parametrize("language", BUILT_IN)
def test_every_word_is_found_alone_and_exchanged_for_another_of_its_kind(language: str) -> None:
    for kind, named in BUILT_IN[language].items():
        for group, words in named.items():
            for word in words:
                found = {term for term in FINDER.found(word) if term.kind == Kind(language, kind)}
                assert {term.group for term in found} == {group}, word
                other = swapped(word, language, kind)
                assert other is not None
                assert {term.group for term in FINDER.found(other)} & (set(named) - {group}), word


def test_words_are_found_whole_in_any_case_and_never_inside_others() -> None:
    assert groups("HE saw the Women") == {"men", "women"}
    assert groups("The theme of this history is manifold, sheer and German-free") == {"German"}
    assert groups("A theme, sheer history") == set()
    assert groups("") == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He loves his wife .", "She loves her husband ."),
        ("She lost her keys and asked him", "He lost his keys and asked her"),
        ("give it to her. The choice is his.", "give it to him. The choice is hers."),
        ("HIS best film", "HER best film"),
        ("an actor's film", "an actress's film"),
    ],
)
def test_english_gender_is_exchanged_throughout_a_text(text: str, expected: str) -> None:
    assert swapped(text, "English", "gender") == expected


def test_the_article_follows_the_exchanged_word() -> None:
    found = swapped("an american film", "English", "origin")
    assert found == "a mexican film"
    assert swapped("A Korean film", "English", "origin") == "An Indian film"
    assert swapped("an Asian film", "English", "origin") == "a European film"


def test_a_pair_is_exchanged_in_both_texts_at_once() -> None:
    found = FINDER.swapped("Is she here?", "He is.")
    assert found[Kind("English", "gender")] == ["Is he here?", "She is."]


def test_only_words_of_the_kind_are_exchanged_and_kinds_that_are_not_there_are_left_out() -> None:
    found = FINDER.swapped("she is a gay woman")
    assert found[Kind("English", "gender")] == ["he is a gay man"]
    assert found[Kind("English", "orientation")] == ["she is a heterosexual woman"]
    assert set(found) == {Kind("English", "gender"), Kind("English", "orientation")}
    assert FINDER.swapped("a film without people") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("남편은 친절했고 아들이 좋아했어요", "아내는 친절했고 딸이 좋아했어요"),
        ("여자가 남자를 봤다", "남자가 여자를 봤다"),
        ("어머니와 딸", "아버지와 아들"),
        ("아내였어요. 남편이라도 좋아요", "남편이었어요. 아내라도 좋아요"),
        ("남편으로서 할 말", "아내로서 할 말"),
        ("남자친구랑 갔어요", "여자친구랑 갔어요"),
        ("여성들은 좋아해요", "남성들은 좋아해요"),
    ],
)
def test_korean_particles_are_right_after_an_exchange(text: str, expected: str) -> None:
    assert swapped(text, "Korean", "gender") == expected


@pytest.mark.parametrize("text", ["딸기가 맛있다", "여자고등학교", "청년층", "소녀시대"])
def test_korean_words_that_only_begin_like_a_term_are_none(text: str) -> None:
    assert FINDER.swapped(text) == {}


def test_a_product_adds_languages_replaces_kinds_and_leaves_kinds_out() -> None:
    own = {
        "German": {"gender": {"men": ["er", "Mann"], "women": ["sie", "Frau"]}},
        "English": {"age": {}, "gender": {"kings": ["king"], "queens": ["queen"]}},
        "Japanese": {"gender": {"男": ["男性"], "女": ["女性"]}},
    }
    finder = TermFinder(chosen_terms(own))
    assert finder.swapped("Er ist ein Mann")[Kind("German", "gender")] == ["Sie ist ein Frau"]
    assert finder.swapped("She saw the king, a teenager") == {
        Kind("English", "gender"): ["She saw the queen, a teenager"]
    }
    assert finder.swapped("この女性は")[Kind("Japanese", "gender")] == ["この男性は"]


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"gender": {"men": ["he"]}}, "two groups"),
        ({"gender": {"men": ["he", "him"], "women": ["she"]}}, "as many words"),
        ({"gender": {"men": ["he"], "women": ["He"]}}, "'He'"),
        ({"gender": {"men": [], "women": []}}, "a word"),
        ({"gender": {"men": [" "], "women": ["she"]}}, "a word"),
    ],
)
def test_a_list_that_cannot_be_exchanged_is_refused(
    kinds: dict[str, dict[str, list[str]]], message: str
) -> None:
    fault = term_lists_fault({"English": kinds})
    assert fault is not None
    assert message in fault
