"""Compares texts by their sets of grams: by sketches first, then in full."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import Progress
from pipeline.data.gram_index import GramIndex
from pipeline.data.gram_sets import Numbers, blocks, commonness, gram_sets, shared, sketches
from pipeline.data.text_characters import Lengths, Rows, Texts

_SKETCH_WORDS_AT_ONCE = 1 << 20
_GRAMS_AT_ONCE = 1 << 22
# Rounding of a bound must not rule out a pair that is just similar enough.
_SLACK = 1e-6


class ComparedTexts:
    """Texts with the size and a sketch of each one's set; a set itself is made when it is needed.

    sizes: how many grams each text has, `(texts,)`; 0 for texts that were in no index yet.
    """

    def __init__(self, texts: Texts, *, similarity: float) -> None:
        """Take the texts and the least Jaccard similarity, above 0 to 1."""
        self._texts, self._similarity = texts, similarity
        self._lengths = texts.lengths
        self._characters = int(self._lengths.sum(dtype=np.int64))
        self._common = commonness(texts)
        # Two to four bits a gram of an average text: half a byte a character, and enough for texts
        # of several times its length. With fewer, more pairs would have to be compared in full.
        words = 1 << (self._characters // (32 * max(len(texts), 1))).bit_length()
        self.sizes: Lengths = np.zeros(len(texts), dtype=np.int32)
        self._sketches = np.zeros((len(texts), words), dtype=np.uint64)

    def index(
        self, rows: range, files: ExitStack, *, smallest: int = 0, largest: int | None = None
    ) -> GramIndex:
        """An index of those of the rows that can be similar to a set of `smallest` to `largest` grams.

        Args:
            files: closes the temporary files of the index.
        """
        index = GramIndex(
            similarity=self._similarity,
            rows=len(self._texts),
            characters=self._characters,
            files=files,
        )
        progress, done = Progress("validate  near duplicates", len(rows)), 0
        for block in blocks(self._lengths[rows.start : rows.stop]):
            some = block + rows.start
            found, sizes = self._sets(some)
            self.sizes[some] = sizes
            self._sketches[some] = sketches(found, sizes, words=self._sketches.shape[1])
            fits = sizes >= smallest * self._similarity - _SLACK
            if largest is not None:
                fits &= sizes * self._similarity <= largest + _SLACK
            index.add(some[fits], found[np.repeat(fits, sizes)], sizes[fits])
            progress.update(done := done + len(block))
        return index

    def likely(self, pairs: Iterable[tuple[Rows, Rows]]) -> Iterator[tuple[Rows, Rows]]:
        """The pairs that may be similar by their sketches, in parts, the smaller row first."""
        words = self._sketches.shape[1]
        step = max(_SKETCH_WORDS_AT_ONCE // words, 1)
        for first, second in pairs:
            both = (np.minimum(first, second) << 32) | np.maximum(first, second)
            # NumPy's `unique` builds a hash table, which takes ten times as long.
            both.sort()
            both = both[np.append(True, both[1:] != both[:-1])[: len(both)]]
            for start in range(0, len(both), step):
                some = both[start : start + step]
                one, two = some >> 32, some & 0xFFFFFFFF
                # A quarter of the bits is enough to rule out most.
                for width in (max(words // 4, 1), words):
                    likely = self._likely(one, two, words=width)
                    one, two = one[likely], two[likely]
                if len(one):
                    yield one, two

    def _likely(self, first: Rows, second: Rows, *, words: int) -> NDArray[np.bool_]:
        """Whether each pair may be similar by so many words of the sketches, `(pairs,)`."""
        sketched = self._sketches[:, :words]
        differing = np.bitwise_count(sketched[first] ^ sketched[second])
        total = self.sizes[first] + self.sizes[second]
        most = (total - differing.sum(axis=1, dtype=np.int64)) / 2
        likely: NDArray[np.bool_] = most >= (total - most) * self._similarity - _SLACK
        return likely

    def similar(self, first: Rows, second: Rows) -> tuple[Rows, Rows]:
        """The pairs that are similar: their sets are compared in full."""
        total = self.sizes[first] + self.sizes[second]
        part = np.cumsum(total) // _GRAMS_AT_ONCE
        parts = np.split(np.arange(len(first)), np.flatnonzero(np.diff(part)) + 1)
        common = np.concatenate([self._shared(first[some], second[some]) for some in parts])
        found = common / (total - common) >= self._similarity
        return first[found], second[found]

    def _sets(self, rows: Rows) -> tuple[Numbers, Rows]:
        """The sets of some texts as `gram_sets` gives them."""
        return gram_sets(self._texts.characters(rows), self._lengths[rows], self._common)

    def _shared(self, first: Rows, second: Rows) -> Rows:
        """How many grams both texts of each pair have, `(pairs,)`."""
        rows, places = np.unique(np.concatenate([first, second]), return_inverse=True)
        order = [*blocks(self._lengths[rows])]
        sets = [self._sets(rows[block]) for block in order]
        where = np.empty(len(rows), dtype=np.int64)
        where[np.concatenate([rows[:0], *order])] = np.arange(len(rows))
        ends = where[places[: len(first)]], where[places[len(first) :]]
        grams = np.concatenate([np.zeros(0, dtype=np.uint64), *(found for found, _ in sets)])
        return shared(grams, np.concatenate([rows[:0], *(sizes for _, sizes in sets)]), ends)
