"""A text that was dealt to a split keeps it; clusters of several splits go to the most protected one."""

from dataclasses import replace

import pytest

from pipeline.core.sections import SplitShares
from pipeline.core.split_files import Ledger
from pipeline.data.records import Record, record_id
from pipeline.data.split_ledger import Dealt, deal

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
ROWS = [f"The {word} kettle whistles." for word in ("red", "blue", "old", "small", "loud", "cheap")]


def record(text: str, *, cluster: str = "", source: str = "mine") -> Record:
    """A record that is the whole of its cluster, where no other is named."""
    identifier = record_id(source, text)
    return Record(id=identifier, source=source, text=text, label="a", cluster=cluster or identifier)


def dealt(records: list[Record], ledger: Ledger | None = None) -> Dealt:
    return deal(records, ledger or {}, salt="s", shares=SHARES)


def in_each_split() -> dict[str, Record]:
    """Split → a record that a hash deals to it."""
    records = [record(f"Text number {number} of many.") for number in range(60)]
    return dict(zip(dealt(records).splits, records, strict=True))


def test_a_text_keeps_its_split_whatever_its_id_source_and_cluster_are_called() -> None:
    records = [record(text) for text in ROWS]
    first = dealt(records)
    assert (first.known, first.moved) == (0, 0)
    renamed = [record(text.upper() + "!", cluster=f"c{text}", source="other") for text in ROWS]
    again = dealt(renamed, first.ledger)
    assert again.splits == first.splits
    assert (again.known, again.moved) == (len(ROWS), 0)
    assert again.ledger == first.ledger


def test_a_new_row_goes_where_its_near_copy_is() -> None:
    for split, old in in_each_split().items():
        new = record("A near copy.", cluster="smaller")
        joined = [replace(old, cluster="smaller"), new]
        assert dealt(joined, dealt([old]).ledger).splits == [split, split]


@pytest.mark.parametrize(
    ("splits", "protected"),
    [
        (("train", "test"), "test"),
        (("train", "validation"), "validation"),
        (("validation", "test"), "test"),
    ],
)
def test_a_cluster_of_two_splits_goes_to_the_more_protected_one(splits, protected) -> None:
    old = [in_each_split()[split] for split in splits]
    together = [replace(row, cluster="one") for row in [*old, record("It joins both.")]]
    found = dealt(together, dealt(old).ledger)
    assert found.splits == [protected] * 3
    assert (found.known, found.moved) == (2, 1)
    assert set(dealt([record("Nothing else.")], found.ledger).ledger) > set(found.ledger)


def test_a_text_that_is_gone_is_remembered() -> None:
    old = in_each_split()["test"]
    ledger = dealt([record(ROWS[0])], dealt([old]).ledger).ledger
    assert dealt([replace(old, cluster="0")], ledger).splits == ["test"]
