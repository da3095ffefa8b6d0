"""Keys of sets of grams: two similar sets have one in common, and the bounds that come with it hold for both."""

import numpy as np
import pytest

from pipeline.data.gram_keys import Keys
from pipeline.data.gram_parts import Levels, part_keys, part_levels
from pipeline.data.gram_sets import Numbers

SIMILARITIES = [0.3, 0.5, 0.7, 0.75, 0.8, 0.9, 1.0]
# Of so many texts, combinations are of one gram, of two, or of three.
ROWS = [100, 200_000, 1_000_000]
# Sets so small that every size is met, and across the ends of ranges of sizes.
SIZES = [1, 2, 3, 4, 5, 6, 11, 12, 23, 24, 25, 47, 48, 49, 96, 200, 800]


@pytest.fixture(scope="module")
def levels() -> dict[float, Levels]:
    """How common parts of sets are which are made up as those of the tests, by similarity."""
    chance = np.random.default_rng(2)
    sizes = np.array(SIZES)
    grams = np.concatenate([np.sort(some_grams(chance, size)) for size in SIZES])
    return {similarity: part_levels([(grams, sizes)], similarity) for similarity in SIMILARITIES}


def changed(numbers: Numbers, chance: np.random.Generator, *, size: int, common: int) -> Numbers:
    """A sorted set of so many grams, so many of which are those of the first."""
    kept = chance.choice(numbers, size=common, replace=False)
    return np.sort(np.concatenate([kept, some_grams(chance, size - common)]))


def some_grams(chance: np.random.Generator, count: int) -> Numbers:
    """Different grams of any commonness, not sorted."""
    return chance.integers(2**64 - 2**59, size=count, dtype=np.uint64)


def just_similar(size: int, similarity: float) -> list[tuple[int, int]]:
    """Sizes of a larger set, and the fewest grams that both have where they are similar."""
    found = [
        (larger, -int(-(size + larger) * similarity / (1 + similarity) // 1))
        for larger in range(size, int(size / similarity + 1e-6) + 1)
    ]
    return [
        (larger, common)
        for larger, common in found
        if common <= size and common / (size + larger - common) >= similarity
    ]


@pytest.mark.parametrize("counted", [False, True], ids=["parts not counted", "parts counted"])
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("rows", ROWS)
def test_just_similar_sets_share_a_key_within_the_bounds_of_both(
    rows: int, similarity: float, counted: bool, levels: dict[float, Levels]
) -> None:
    chance = np.random.default_rng(3)
    for size in SIZES:
        for larger, common in just_similar(size, similarity)[:: max(size // 10, 1)]:
            one = np.sort(some_grams(chance, size))
            other = changed(one, chance, size=larger, common=common)
            sizes, both = np.array([size, larger]), np.concatenate([one, other])
            own = levels[similarity] if counted else np.zeros(1, dtype=np.uint8)
            index_keys = Keys(similarity=similarity, rows=rows, levels=own)
            found = list(index_keys.of(both, sizes))
            hashes, owners, lost = (np.concatenate(some) for some in zip(*found, strict=True))
            least, reach = index_keys.bounds(sizes[owners], lost)
            fits = (least <= sizes[1 - owners]) & (sizes[1 - owners] <= reach)
            within = [{*hashes[fits & (owners == owner)].tolist()} for owner in (0, 1)]
            assert within[0] & within[1]


def test_a_text_has_no_more_keys_than_parts_may_differ_and_one() -> None:
    chance = np.random.default_rng(4)
    sizes = np.array([60])
    (_, _, rarer), *_ = part_keys(
        np.sort(some_grams(chance, 60)), sizes, 0.8, np.zeros(1, dtype=np.uint8)
    )
    # Of sets of 60 and 75 grams, 15 are in one of them alone.
    assert sorted(rarer.tolist()) == list(range(16))


def test_parts_of_many_texts_are_common_and_no_keys_where_others_are_left() -> None:
    chance = np.random.default_rng(5)
    phrase = some_grams(chance, 20)
    own = [np.sort(np.append(phrase, some_grams(chance, 40))) for _ in range(2_000)]
    grams, sizes = np.concatenate(own), np.full(len(own), 60)
    uncounted = np.zeros(1, dtype=np.uint8)
    counted = part_levels([(grams, sizes)], 0.8)

    def largest_list(levels: Levels) -> int:
        hashes = np.concatenate([some for some, _, _ in part_keys(grams, sizes, 0.8, levels)])
        return int(np.unique(hashes, return_counts=True)[1].max())

    assert largest_list(counted) < largest_list(uncounted)
