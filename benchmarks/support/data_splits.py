"""Counts rows that change their split when data grow by near copies of old rows, in many orders."""

import random
from collections.abc import Sequence

from benchmarks.support.data_labels_needed import read_reviews
from pipeline.core.sections import SplitShares
from pipeline.data.duplicates import near_duplicates
from pipeline.data.records import Record, record_id
from pipeline.data.split_ledger import deal
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
        rows, grown = _clustered(old), _clustered([*old, *new])
        before = deal(rows, {}, salt="s", shares=_SHARES)
        for name, ledger in (("moved", before.ledger), ("moved_by_hash", {})):
            after = deal(grown, ledger, salt="s", shares=_SHARES)
            splits = dict(zip((row.id for row in grown), after.splits, strict=True))
            found[name] += sum(
                splits[row.id] != split for row, split in zip(rows, before.splits, strict=True)
            )
        found["compared"] += len(rows)
    return {name: float(value) for name, value in found.items()}


def _near_copy(text: str, chance: random.Random) -> str:
    words = text.split()
    words.insert(chance.randrange(len(words) + 1), "indeed")
    return " ".join(words)


def _clustered(texts: Sequence[str]) -> list[Record]:
    """Records by id, each with its cluster, as validate leaves them."""
    by_id = sorted((record_id("mine", text), text) for text in texts)
    firsts = near_duplicates([bare_words(text) for _, text in by_id], similarity=_SIMILARITY)
    return [
        Record(id=row, source="mine", text=text, label="a", cluster=by_id[first][0])
        for (row, text), first in zip(by_id, firsts, strict=True)
    ]
