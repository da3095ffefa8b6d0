"""The index of rare grams: all pairs that can be similar are found, whatever its bands and keys are."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations

import numpy as np
import pytest

from pipeline.data.gram_index import Entries, GramIndex
from pipeline.data.gram_pairs import pairs_between, pairs_within
from tests.support.grams import grams, sets_of

SIMILARITY = 0.8
# One template: numbers of three digits, and an end that some of the rows have.
TEXTS = [
    f"order {number:03} has left our house and is on its way to you{' by train' * (number % 3)}"
    for number in range(400)
]
# An index for so many rows has keys of one gram, of two, or of three, and so many characters one band or many.
ROWS = [400, 200_000, 1_000_000]
CHARACTERS = [1, 500_000_000]


def other_texts() -> list[str]:
    """Texts of few words, short to long, and some that differ from them by a word."""
    chance = random.Random(8)  # noqa: S311 - test data, not a secret
    words = ["film", "story", "warm", "dull", "actor", "never", "quite", "laughs", "slow", "a"]
    texts = [" ".join(chance.choices(words, k=chance.randrange(1, 40))) for _ in range(150)]
    changed = [
        " ".join(chance.choice(words) if chance.random() < 0.1 else word for word in text.split())
        for text in texts
    ]
    return [*texts, *changed]


def similar_pairs(texts: Sequence[str], similarity: float) -> set[tuple[int, int]]:
    sets = [grams(text) for text in texts]
    return {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if len(sets[one] & sets[other]) / len(sets[one] | sets[other]) >= similarity
    }


def bands_of(
    texts: Sequence[str], similarity: float, rows: int, characters: int
) -> Iterator[Entries]:
    numbers, sizes = sets_of(texts)
    with ExitStack() as files:
        index = GramIndex(similarity=similarity, rows=rows, characters=characters, files=files)
        index.add(np.arange(len(texts)), numbers, sizes)
        yield from index.bands(sizes, alone=False)


@pytest.mark.parametrize("characters", CHARACTERS, ids=["one band", "many bands in files"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("similarity", [0.5, 0.8, 1.0])
def test_all_similar_pairs_are_candidates(similarity: float, rows: int, characters: int) -> None:
    for texts in (TEXTS[:100], other_texts()):
        found = {
            (min(pair), max(pair))
            for entries in bands_of(texts, similarity, rows, characters)
            for first, second in pairs_within(entries, lambda rows: rows)
            for pair in zip(first.tolist(), second.tolist(), strict=True)
        }
        assert similar_pairs(texts, similarity) <= found


def test_texts_of_one_cluster_are_no_candidates() -> None:
    pairs = [
        pair
        for entries in bands_of(TEXTS, SIMILARITY, rows=400, characters=1)
        for pair in pairs_within(entries, np.zeros_like)
    ]
    assert sum(len(first) for first, _ in pairs) == 0


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("texts", [TEXTS, other_texts()], ids=["a template", "others"])
def test_pairs_between_two_indexes_have_one_text_of_each(texts: list[str], rows: int) -> None:
    numbers, sizes = sets_of(texts)
    ends = np.cumsum(sizes)
    with ExitStack() as files:
        indexes = [
            GramIndex(similarity=SIMILARITY, rows=rows, characters=1, files=files) for _ in range(2)
        ]
        indexes[0].add(np.arange(150), numbers[: ends[149]], sizes[:150])
        indexes[1].add(np.arange(150, len(texts)), numbers[ends[149] :], sizes[150:])
        bands = (index.bands(sizes, alone=True) for index in indexes)
        found = {
            pair
            for one, other in zip(*bands, strict=True)
            for first, second in pairs_between(one, other)
            for pair in zip(first.tolist(), second.tolist(), strict=True)
        }
    expected = similar_pairs(texts, SIMILARITY)
    assert all(first < 150 <= second for first, second in found)
    assert {(one, other) for one, other in expected if one < 150 <= other} <= found
