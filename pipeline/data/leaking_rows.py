"""Finds the texts of a corpus that leak a labelled one: hold it, equal it, are part of it or nearly it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.data.duplicates import near_pairs
from pipeline.data.equal_rows import first_equal, hashes_of
from pipeline.text.containment import containing

CONTAINS, CONTAINED = "holds a labelled text", "is part of a labelled text"
NEAR = "is nearly a labelled text"
LEAKS = ("", CONTAINS, CONTAINED, NEAR)
"""How a text leaks; the first stands for texts that do not."""


def leaks(
    corpus: Sequence[str], labelled: Sequence[str], *, similarity: float
) -> NDArray[np.uint8]:
    """How each text of the corpus leaks one of the labelled texts, `(corpus,)`: its place in LEAKS.

    Args:
        corpus: texts in the form of `bare_words`.
        labelled: likewise, both texts of a pair one after the other.
        similarity: that of two texts which are nearly the same, as `near_pairs` has it.
    """
    found = np.zeros(len(corpus), dtype=np.uint8)
    if not len(corpus) or not len(labelled):
        return found
    # At 0 all texts are alike, which says nothing of leaks.
    if similarity:
        near = near_pairs(corpus, labelled, similarity=similarity)
        found[[row for row, _ in near]] = LEAKS.index(NEAR)
    found[[row for _, row in containing(labelled, corpus)]] = LEAKS.index(CONTAINED)
    found[[row for row, _ in containing(corpus, labelled)]] = LEAKS.index(CONTAINS)
    found[_equals(corpus, labelled)] = LEAKS.index(CONTAINS)
    return found


def _equals(corpus: Sequence[str], labelled: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each text of the corpus equals a labelled one and is not empty."""
    hashes = [hashes_of(labelled), hashes_of(corpus)]
    [empty] = hashes_of([""])
    firsts = first_equal(np.concatenate(hashes))[len(labelled) :]
    found: NDArray[np.bool_] = (firsts < len(labelled)) & (hashes[1] != empty).any(axis=1)
    return found
