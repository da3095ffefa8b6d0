"""A text that was dealt to a split keeps it; clusters of several splits go to the most protected one."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.data.records import Record, record_id
from pipeline.data.split_ledger import (
    Dealt,
    Ledger,
    add_ledgers,
    deal,
    ledger_file,
    read_ledger,
    write_ledger,
)

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
ROWS = [f"The {word} kettle whistles." for word in ("red", "blue", "old", "small", "loud", "cheap")]
KEY, OTHER = "0" * 16, "1" * 16


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


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = ledger_file(tmp_path, product="mine", salt="s", shares=SHARES)
    ledger = dealt([record(text) for text in ROWS]).ledger
    write_ledger(file, ledger)
    assert read_ledger(file) == ledger
    assert read_ledger(tmp_path / "none.csv") == {}


def test_each_product_salt_and_dealing_has_its_own() -> None:
    others = SplitShares(train=0.6, validation=0.2, test=0.2)
    files = {
        ledger_file(Path("splits"), product=product, salt=salt, shares=shares)
        for product in ("a", "b")
        for salt in ("s", "t")
        for shares in (SHARES, others)
    }
    assert len(files) == 8


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"text,split\n{KEY},train\n{OTHER},tra", 3),
        (f"text,split\n{KEY},train\n{KEY},test\n", 3),
        (f"text,split\n<<<<<<< ours\n{KEY},train\n", 2),
        (f"hash,split\n{KEY},train\n", 1),
        ("", 1),
    ],
    ids=["cut", "two splits of a text", "a conflict of git", "another file", "empty"],
)
def test_a_damaged_ledger_is_refused_for_rows_could_move(
    tmp_path: Path, text: str, line: int
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=f"mine.csv, line {line}: (?s:.*)may change splits"):
        read_ledger(file)


def test_texts_are_added_to_a_ledger_and_those_that_it_has_stay(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_ledger(ours / "a.csv", {KEY: "train", OTHER: "test"})
    write_ledger(theirs / "a.csv", {KEY: "validation", "2" * 16: "train"})
    write_ledger(theirs / "b.csv", {KEY: "train"})
    add_ledgers(theirs, ours)
    assert read_ledger(ours / "a.csv") == {KEY: "train", OTHER: "test", "2" * 16: "train"}
    assert read_ledger(ours / "b.csv") == {KEY: "train"}
