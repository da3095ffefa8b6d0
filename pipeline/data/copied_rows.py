"""Finds rows that are copies of others, and copies whose labels differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import Progress
from pipeline.data.cleaned_rows import CleanedRows
from pipeline.data.equal_rows import first_equal, hashes_of
from pipeline.data.stored_rows import Rows
from pipeline.text.bare_words import words_and_symbols


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Rows by their numbers, told apart.

    Attributes:
        kept: one row of each set of copies, by id.
        taken: the others, in the order of their sets.
        is_disputed: whether each of these has a copy with another label, `(taken,)`.
    """

    kept: Rows
    taken: Rows
    is_disputed: NDArray[np.bool_]


def find_copies(rows: CleanedRows) -> Copies:
    """The copies among the usable rows.

    Copies have equal bare words. Where their labels differ, the symbols may tell why (`C++` and `C#`,
    `:)` and `:(`): those with other symbols are then no copies. Copies with different labels are all
    taken out: it is unknown which label is right.
    """
    order = rows.in_order()
    order = order[rows.facts["fault"][order] == 0]
    labels = rows.facts["label"][order]
    words = first_equal(rows.facts["words"][order])
    parts = _told_apart(rows, order, words, labels)
    disputed = _of_groups(parts, labels != labels[parts])
    stays = (parts == np.arange(len(order))) & ~disputed
    kept, places = order[stays], np.flatnonzero(~stays)
    places = places[np.lexsort((places, parts[places], words[places]))]
    return Copies(
        kept=kept[np.argsort(rows.facts["id"][kept])],
        taken=order[places],
        is_disputed=disputed[places],
    )


def _told_apart(
    rows: CleanedRows, order: Rows, words: Rows, labels: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """The first row with the same words, and where labels differ with the same symbols, for each row.

    Args:
        order: numbers of the rows.
        words: the first row with the same words, for each: its place in `order`.
    """
    places = np.flatnonzero(_of_groups(words, labels != labels[words]))
    if not len(places):
        return words
    some = order[places]
    progress, keys = Progress("validate  comparing symbols", len(some)), []
    for part in rows.parts(some):
        table = rows.stored.take(some[part], ["text", "second"])
        texts = zip(table["text"].to_pylist(), table["second"].to_pylist(), strict=True)
        groups = words[places[part]].tolist()
        keys.append(
            hashes_of(
                "\n".join([str(group), *(words_and_symbols(text) for text in pair if text)])
                for group, pair in zip(groups, texts, strict=True)
            )
        )
        progress.update(part.stop)
    found = words.copy()
    found[places] = places[first_equal(np.concatenate(keys))]
    return found


def _of_groups(firsts: Rows, is_so: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether it is so of any row of each row's group, which is named by its first row."""
    marked = np.zeros(len(firsts), dtype=np.bool_)
    marked[firsts[is_so]] = True
    found: NDArray[np.bool_] = marked[firsts]
    return found
