"""Slices pick the rows their names promise."""

from typing import Any

import numpy as np

from pipeline.metrics.slices import slice_masks
from pipeline.problem.problems import problem_named


def masks_of(
    texts: list[str], gold: list[Any], problem: str, *labels: str
) -> dict[str, list[bool]]:
    masks = slice_masks(texts, np.array(gold), problem=problem_named(problem), labels=labels)
    return {name: mask.tolist() for name, mask in masks.items()}


def test_negation_is_found_in_words_and_contractions() -> None:
    texts = ["not bad", "it didn't work", "it did n't work", "a knot of notes", "don’t go"]
    masks = masks_of(texts, [0] * 5, "classification", "a", "b")
    assert masks["with negation"] == [True, True, True, False, True]


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
