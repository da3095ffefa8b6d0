"""Rows are taken out for what they say, and pairs with the same first text are in one cluster."""

from itertools import permutations

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params import parse_params
from pipeline.core.sections import ValidateParams
from pipeline.data.check_reports import checked_shares
from pipeline.data.records import Record
from pipeline.data.row_batches import rows_of
from pipeline.data.row_checks import check_corpus, check_labelled
from pipeline.text.bare_words import bare_words
from tests.support.grams import likeness
from tests.support.repository import parameter_values


def record(number: int, text: str, second: str | None = None, *, label: str = "0") -> Record:
    return Record(id=f"{number:016x}", source="own", text=text, second=second, label=label)


def limits(**changed: float) -> ValidateParams:
    return parse_params(parameter_values()).validate_.model_copy(update=changed)


def clusters(records: list[Record]) -> dict[str, str | None]:
    return {
        entry.second or entry.text: entry.cluster
        for entry in check_labelled(rows_of(records), limits()).records
    }


def test_hypotheses_about_one_premise_are_one_cluster() -> None:
    premise, other = "Two children play chess in the old park.", "A man repairs his grey bicycle."
    records = [
        record(1, premise, "Children are outside."),
        record(2, premise.upper(), "Nobody plays any game at all."),
        record(3, other, "Children are outside tonight, far away."),
    ]
    first, second, third = clusters(records).values()
    assert first == second != third


def test_a_first_text_of_very_many_pairs_is_a_category_and_joins_nothing() -> None:
    words = ["red", "blue", "green", "black", "white", "north", "south", "east", "west"]
    aspects = [
        record(n, "The service here", f"{a} {b} {a[::-1]}")
        for n, (a, b) in enumerate(permutations(words, 2))
    ]
    assert len(set(clusters(aspects).values())) > len(aspects) / 2


def test_single_texts_are_one_cluster_only_where_they_are_near_copies() -> None:
    texts = ["A film of great warmth and wit.", "The plot is thin and slow."]
    found = clusters([record(number, text) for number, text in enumerate(texts)])
    assert len(set(found.values())) == 2


def labelled_reasons(*rows: tuple[str, str]) -> list[str | None]:
    """Why each row, a text and its label, is taken out; None where it stays."""
    records = [record(number, text, label=label) for number, (text, label) in enumerate(rows)]
    reasons = {
        entry.id: entry.reason for entry in check_labelled(rows_of(records), limits()).rejects
    }
    return [reasons.get(entry.id) for entry in records]


CONFLICT = "copies with different labels"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We moved from Java to C++", "We moved from Java to C#"),
        ("배송 상태 👍", "배송 상태 👎"),
        ("Good service :)", "Good service :("),
        ("மீண்டும் வேண்டும்", "மீண்டும் வேண்டாம்"),
        ("หนังดีมาก", "หนังดุมาก"),
    ],
)
def test_texts_that_differ_in_what_carries_the_label_are_no_conflict(one: str, other: str) -> None:
    assert labelled_reasons((one, "0"), (other, "1")) == [None, None]


def test_copies_with_the_same_symbols_and_different_labels_are() -> None:
    rows = [("Good service :)", "0"), ("good service! :)", "1"), ("Good service :(", "1")]
    assert labelled_reasons(*rows) == [CONFLICT, CONFLICT, None]
    assert labelled_reasons(("Good service.", "0"), ("good service!", "1")) == [CONFLICT] * 2


def test_rows_of_the_same_words_and_label_are_copies_whatever_their_symbols() -> None:
    rows = [("Good service :)", "0"), ("Good service 👍", "0")]
    assert labelled_reasons(*rows) == [None, "copy of another row"]


def test_a_text_that_shows_no_letter_is_empty() -> None:
    for text in ("\u3164\u3164\u3164", "\u115f\u1160\u200b\u2062", "😍😍😍", "?!…"):
        assert labelled_reasons((text, "0")) == ["empty"]
    assert labelled_reasons(("\u3164좋아요\u3164", "0")) == [None]


SENTENCES = [
    "The soup was cold and far too salty for me",
    "배송이 정말 빨라요",
    "この映画は本当に面白かった",
    "这家餐厅的菜真好吃",
    "อาหารร้านนี้ดีมาก",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_a_corpus_text_with_a_labelled_one_is_a_leak_in_every_script(text: str) -> None:
    corpus = [
        record(1, f"Before! {text}. After."),
        record(2, f"{text}!"),
        record(3, "Something else is said here, at some length."),
    ]
    checked = check_corpus(rows_of(corpus), [bare_words(text)], limits())
    assert [entry.reason for entry in checked.rejects] == ["holds a labelled text"] * 2
    assert [entry.id for entry in checked.records] == [corpus[2].id]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (SENTENCES[0], "The soup was cold and far too salty for us"),
        ("어제 시장에서 먹은 김치찌개가 너무 짰어요", "어제 시장에서 먹은 김치찌개가 너무 짰어"),
        ("배송이 정말 빨라요", "배송이 정말 빨라여"),
        ("この映画は面白かったですね", "この映画は面白かったですよ"),
        ("这家餐厅的菜真的很好吃", "这家餐厅的菜真的很好喝"),
        ("อาหารร้านนี้ดีมากนะ", "อาหารร้านนี้ดีมากนา"),
    ],
)
def test_a_corpus_text_that_is_nearly_a_labelled_one_is_a_leak(text: str, near: str) -> None:
    """Near texts share four fifths of their pieces, so short ones differ in a letter at the end."""
    far = "A text of its own that is much longer than the other, about a lamp on a desk."
    corpus = [record(1, near), record(2, far)]
    checked = check_corpus(rows_of(corpus), [bare_words(text)], limits())
    assert [(entry.id, entry.reason) for entry in checked.rejects] == [
        (corpus[0].id, "is nearly a labelled text")
    ]
    for similarity in (1.0, 0.0):
        strict = check_corpus(
            rows_of(corpus), [bare_words(text)], limits(near_duplicate_similarity=similarity)
        )
        assert strict.rejects == []


def test_texts_in_a_message_have_no_personal_data() -> None:
    said = "Write to hong@naver.com, please"
    rows = [record(number, said, label=str(number)) for number in (0, 1)]
    with pytest.raises(DataError, match=r"Write to \[email\], please"):
        checked_shares(check_labelled(rows_of(rows), limits()), limits())


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (SENTENCES[0], "The soup was cold and far too salty for us"),
        (
            "어제 친구와 같이 먹은 김치찌개가 너무 짰어요",
            "어제 친구와 같이 먹은 비빔밥이 너무 짰어요",
        ),
        ("この映画は本当に面白かったので何度も見た", "この映画は意外に面白かったので何度も見た"),
        ("这家餐厅的招牌菜真的非常好吃而且不贵", "这家餐厅的招牌菜真的特别好吃而且不贵"),
    ],
)
def test_labelled_rows_are_in_one_cluster_where_a_corpus_text_would_be_a_leak(
    text: str, near: str
) -> None:
    similar = likeness(bare_words(text), bare_words(near))
    for least in (similar - 0.01, similar, similar + 0.01):
        limit = limits(near_duplicate_similarity=least)
        first, second = check_labelled(rows_of([record(1, text), record(2, near)]), limit).records
        leaks = check_corpus(rows_of([record(1, near)]), [bare_words(text)], limit).rejects
        assert (first.cluster == second.cluster) == (len(leaks) == 1) == (similar >= least)
