"""Slices pick the rows their names promise."""

from typing import Any

import numpy as np
import pytest

from pipeline.metrics.slices import LENGTHS, slice_masks
from pipeline.problem.problems import problem_named


def masks_of(
    texts: list[str], gold: list[Any], problem: str, *labels: str, language: str = ""
) -> dict[str, list[bool]]:
    masks = slice_masks(
        texts, np.array(gold), problem=problem_named(problem), labels=labels, language=language
    )
    return {name: mask.tolist() for name, mask in masks.items()}


def test_negation_is_found_in_words_and_contractions() -> None:
    texts = ["not bad", "it didn't work", "it did n't work", "a knot of notes", "don’t go"]
    masks = masks_of(texts, [0] * 5, "classification", "a", "b")
    assert masks["with negation"] == [True, True, True, False, True]


NEGATED = {
    "Korean": [
        "맛이 없어요",
        "다시는 안 먹어요",
        "안먹어요",
        "좋지 않았다",
        "못 갔다",
        "제 것이 아니에요",
        "그냥 안 돼요",
        "먹지 마세요",
        "별로예요",
    ],
    "Japanese": ["面白くなかった", "食べません", "よくない", "不便です"],
    "Chinese": ["不好看", "没有意思", "還沒到"],
}
PLAIN = {
    "Korean": ["안녕하세요", "안내가 친절해요", "제 잘못입니다", "연못이 예뻐요", "정말 맛있어요"],
    "Japanese": ["席が少ない", "とても美味しい"],
    "Chinese": ["非常好看", "很有意思"],
}


@pytest.mark.parametrize("language", NEGATED)
def test_negation_is_found_in_languages_that_attach_it_to_a_verb(language: str) -> None:
    texts = [*NEGATED[language], *PLAIN[language]]
    masks = masks_of(texts, [0] * len(texts), "classification", "a", "b", language=language)
    expected = [True] * len(NEGATED[language]) + [False] * len(PLAIN[language])
    assert dict(zip(texts, masks["with negation"], strict=True)) == dict(
        zip(texts, expected, strict=True)
    )


@pytest.mark.parametrize("language", LENGTHS)
def test_lengths_are_characters_where_words_have_no_blanks_or_hold_a_phrase(language: str) -> None:
    short, long = LENGTHS[language].short, LENGTHS[language].long
    texts = ["가 " * short, "가" * (short + 1), "가, " * long]
    masks = masks_of(texts, [0, 1, 1], "classification", "no", "yes", language=language)
    assert masks[f"at most {short} characters"] == [True, False, False]
    assert masks[f"at least {long} characters"] == [False, False, True]


def test_lengths_and_labels_make_slices() -> None:
    texts = ["word " * 10, "word " * 11, "word " * 28]
    masks = masks_of(texts, [0, 1, 1], "classification", "no", "yes")
    assert masks["at most 10 words"] == [True, False, False]
    assert masks["at least 28 words"] == [False, False, True]
    assert masks["label yes"] == [False, True, True]


def test_rows_of_several_labels_lie_in_several_slices_and_numbers_in_none() -> None:
    gold = [[True, True], [False, True], [False, False]]
    masks = masks_of(["a", "b", "c"], gold, "multi_label", "rude", "spam")
    assert masks["label rude"] == [True, False, False]
    assert masks["label spam"] == [True, True, False]
    assert masks["no label"] == [False, False, True]
    assert not any("label" in name for name in masks_of(["a"], [2.5], "regression", "stars"))
