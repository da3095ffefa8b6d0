"""Slices pick the rows their names promise."""

import numpy as np

from pipeline.metrics.slices import slice_masks
from pipeline.problem.problems import problem_named


def test_negation_is_found_in_words_and_contractions() -> None:
    texts = ["not bad", "it didn't work", "it did n't work", "a knot of notes", "don’t go"]
    masks = slice_masks(
        texts,
        np.zeros(5, dtype=np.int64),
        problem=problem_named("classification"),
        labels=["a", "b"],
    )
    assert masks["with negation"].tolist() == [True, True, True, False, True]


def test_lengths_and_labels_make_slices() -> None:
    texts = ["word " * 10, "word " * 11, "word " * 28]
    masks = slice_masks(
        texts, np.array([0, 1, 1]), problem=problem_named("classification"), labels=["no", "yes"]
    )
    assert masks["at most 10 words"].tolist() == [True, False, False]
    assert masks["at least 28 words"].tolist() == [False, False, True]
    assert masks["label yes"].tolist() == [False, True, True]


def test_rows_of_several_labels_lie_in_several_slices_and_numbers_in_none() -> None:
    gold = np.array([[True, True], [False, True], [False, False]])
    masks = slice_masks(
        ["a", "b", "c"], gold, problem=problem_named("multi_label"), labels=["rude", "spam"]
    )
    assert masks["label rude"].tolist() == [True, False, False]
    assert masks["label spam"].tolist() == [True, True, False]
    assert masks["no label"].tolist() == [False, False, True]
    numbers = slice_masks(
        ["a"], np.array([2.5]), problem=problem_named("regression"), labels=["stars"]
    )
    assert not any("label" in name for name in numbers)
