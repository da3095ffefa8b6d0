"""The index of rare grams: all pairs that can be similar are found, whatever its bands are."""

from contextlib import ExitStack
from itertools import combinations

import numpy as np
import pytest

from pipeline.data.gram_index import GramIndex, pairs_between, pairs_within
from tests.support.grams import sets_of

SIMILARITY = 0.8
# One template: numbers of three digits, and an end that some of the rows have.
TEXTS = [
    f"order {number:03} has left our house and is on its way to you{' by train' * (number % 3)}"
    for number in range(400)
]


def similar_pairs() -> set[tuple[int, int]]:
    sets = [{text[n : n + 5] for n in range(len(text) - 4)} for text in TEXTS]
    return {
        (one, other)
        for one, other in combinations(range(len(TEXTS)), 2)
        if len(sets[one] & sets[other]) / len(sets[one] | sets[other]) >= SIMILARITY
    }


@pytest.mark.parametrize("grams", [1, 100_000_000], ids=["one band", "many bands in files"])
def test_all_similar_pairs_are_candidates(grams: int) -> None:
    numbers, sizes = sets_of(TEXTS)
    with ExitStack() as files:
        index = GramIndex(similarity=SIMILARITY, grams=grams, files=files)
        index.add(np.arange(len(TEXTS)), numbers, sizes)
        found = {
            (min(pair), max(pair))
            for entries in index.bands(sizes)
            for first, second in pairs_within(entries, lambda rows: rows)
            for pair in zip(first.tolist(), second.tolist(), strict=True)
        }
    assert similar_pairs() <= found


def test_texts_of_one_cluster_are_no_candidates() -> None:
    numbers, sizes = sets_of(TEXTS)
    with ExitStack() as files:
        index = GramIndex(similarity=SIMILARITY, grams=1, files=files)
        index.add(np.arange(len(TEXTS)), numbers, sizes)
        pairs = [
            pair for entries in index.bands(sizes) for pair in pairs_within(entries, np.zeros_like)
        ]
    assert sum(len(first) for first, _ in pairs) == 0


def test_pairs_between_two_indexes_have_one_text_of_each() -> None:
    numbers, sizes = sets_of(TEXTS)
    ends = np.cumsum(sizes)
    with ExitStack() as files:
        indexes = [GramIndex(similarity=SIMILARITY, grams=1, files=files) for _ in range(2)]
        indexes[0].add(np.arange(100), numbers[: ends[99]], sizes[:100])
        indexes[1].add(np.arange(100, 400), numbers[ends[99] :], sizes[100:])
        found = {
            pair
            for one, other in zip(*(index.bands(sizes) for index in indexes), strict=True)
            for first, second in pairs_between(one, other)
            for pair in zip(first.tolist(), second.tolist(), strict=True)
        }
    assert all(first < 100 <= second for first, second in found)
    assert {(one, other) for one, other in similar_pairs() if one < 100 <= other} <= found
