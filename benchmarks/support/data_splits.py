"""Counts rows that change their split when data grow by near copies of old rows, in many orders."""

import random
from collections.abc import Sequence

import numpy as np

from benchmarks.support.data_labels_needed import read_reviews
from pipeline.core.sections import SplitShares
from pipeline.data.duplicates import near_duplicates
from pipeline.data.records import record_id
from pipeline.data.row_ids import Ids, numbers_of
from pipeline.data.split_ledger import EMPTY, deal, text_keys
from pipeline.text.bare_words import bare_words

_SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
_SIMILARITY = 0.8


def measure() -> dict[str, float]:
    """The figures of `moved_rows` for the review sentences of the installed package."""
    return moved_rows([text for text, _ in read_reviews("rotten_tomatoes")])


def moved_rows(texts: Sequence[str], *, copies: int = 1000, orders: int = 20) -> dict[str, float]:
    """Rows that change their split when a fifth is added, `copies` of it near copies of old rows.

    Args:
        texts: a sixth of them comes later, in each order another one.

    Returns:
        `moved`: rows of all orders that are in another split after; `moved_by_hash`: by the hash alone;
        `compared`: old rows of all orders.
    """
    found = {"moved": 0, "moved_by_hash": 0, "compared": 0}
    for order in range(orders):
        chance = random.Random(order)  # noqa: S311 - a sample, not a secret
        mixed = chance.sample(texts, len(texts))
        later = len(mixed) // 6 - copies
        old, new = mixed[later:], mixed[:later]
        new += [_near_copy(text, chance) for text in chance.sample(old, copies)]
        ids, keys, clusters = _clustered(old)
        grown_ids, grown_keys, grown_clusters = _clustered([*old, *new])
        before = deal(keys, clusters, EMPTY, salt="s", shares=_SHARES)
        places = np.searchsorted(grown_ids, ids)
        for name, ledger in (("moved", before.ledger), ("moved_by_hash", EMPTY)):
            after = deal(grown_keys, grown_clusters, ledger, salt="s", shares=_SHARES)
            found[name] += int((after.splits[places] != before.splits).sum())
        found["compared"] += len(ids)
    return {name: float(value) for name, value in found.items()}


def _near_copy(text: str, chance: random.Random) -> str:
    words = text.split()
    words.insert(chance.randrange(len(words) + 1), "indeed")
    return " ".join(words)


def _clustered(texts: Sequence[str]) -> tuple[Ids, Ids, Ids]:
    """The numbers of rows' ids in order, the keys of their texts, and their clusters."""
    by_id = sorted((record_id("mine", text), text) for text in texts)
    words = [bare_words(text) for _, text in by_id]
    firsts = near_duplicates(words, similarity=_SIMILARITY)
    ids = numbers_of([row for row, _ in by_id])
    return ids, text_keys(map(str.encode, words)), ids[firsts]
