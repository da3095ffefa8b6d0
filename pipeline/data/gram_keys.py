"""Keys under which texts are looked up, and which sizes of sets a shared key leaves possible."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.gram_combinations import combination_keys, combinations_a_character, ranges
from pipeline.data.gram_parts import Levels, part_keys
from pipeline.data.gram_sets import Numbers
from pipeline.data.text_characters import Rows

# Less similar sets differ in as many parts as they have grams: combinations of grams are fewer keys.
_LEAST_SIMILARITY_OF_PARTS = 0.75
# Rounding of a bound must not rule out a pair that is just similar enough.
_SLACK = 1e-6
_LARGEST = 2**31 - 1


class Keys:
    """The keys of sets that may be similar, as gram_parts.py or gram_combinations.py has them."""

    def __init__(self, *, similarity: float, rows: int, levels: Levels) -> None:
        """Take the least Jaccard similarity, how many texts there are, and how common parts are."""
        self._similarity, self._levels = similarity, levels
        self._parts, self._ranges = has_parts(similarity), ranges(rows, similarity)

    def of(self, grams: Numbers, sizes: Rows) -> Iterator[tuple[Numbers, Rows, Rows]]:
        """Yields hashes of keys, the number of each one's text, and what is lost before the key.

        Lost are rarer parts, which differ in the other text, or grams, which it has not.

        Args:
            grams, sizes: as `gram_sets` gives them.
        """
        if self._parts:
            return part_keys(grams, sizes, self._similarity, self._levels)
        return combination_keys(grams, sizes, self._similarity, self._ranges)

    def bounds(self, sizes: Rows, lost: Rows) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The sizes of the smallest and largest set that can be similar to a text's, `(keys,)` each.

        They hold for a pair of texts of which a key is the first that both have.

        Args:
            sizes: the size of the set of each key's text.
            lost: as `of` gives it.
        """
        similarity = self._similarity
        if self._parts:
            # In each part that differs, a gram is in one of the sets alone.
            least: NDArray[np.floating] = (
                lost * (1 + similarity) / max(1 - similarity, _SLACK) - sizes
            )
            reach: NDArray[np.floating] = sizes / similarity
        else:
            least = sizes * similarity
            reach = (sizes - lost) * (1 + 1 / similarity) - sizes
        smallest = np.ceil(np.clip(least - _SLACK, -_LARGEST, _LARGEST)).astype(np.int32)
        return smallest, np.clip(reach + _SLACK, 0, _LARGEST).astype(np.int32)

    def a_character(self) -> float:
        """About how many keys there are for each character of texts of which most are of one length."""
        if self._parts:
            return 1.33 * (1 / self._similarity - 1)
        return combinations_a_character(self._similarity, self._ranges)


def has_parts(similarity: float) -> bool:
    """Whether keys are parts of sets at this similarity, and not combinations of grams."""
    return similarity >= _LEAST_SIMILARITY_OF_PARTS
