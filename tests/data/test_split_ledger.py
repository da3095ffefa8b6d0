"""A text that was dealt to a split keeps it; clusters of several splits go to the most protected one."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.core.split_files import PROTECTED, read_ledger
from pipeline.data.records import Record, record_id
from pipeline.data.row_ids import numbers_of
from pipeline.data.split_ledger import (
    EMPTY,
    Dealt,
    SplitLedger,
    deal,
    read_split_ledger,
    text_keys,
    write_split_ledger,
)
from pipeline.text.bare_words import bare_words

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
ROWS = [f"The {word} kettle whistles." for word in ("red", "blue", "old", "small", "loud", "cheap")]


def record(text: str, *, cluster: str = "", source: str = "mine") -> Record:
    """A record that is the whole of its cluster, where no other is named."""
    identifier = record_id(source, text)
    name = record_id("clusters", cluster) if cluster else identifier
    return Record(id=identifier, source=source, text=text, label="a", cluster=name)


def dealt(records: list[Record], ledger: SplitLedger = EMPTY) -> Dealt:
    keys = text_keys(bare_words(row.text).encode() for row in records)
    clusters = numbers_of([row.cluster or "" for row in records])
    return deal(keys, clusters, ledger, salt="s", shares=SHARES)


def splits_of(found: Dealt) -> list[str]:
    return [PROTECTED[split] for split in found.splits]


def texts(ledger: SplitLedger) -> dict[int, int]:
    return dict(zip(ledger.keys.tolist(), ledger.splits.tolist(), strict=True))


def in_each_split() -> dict[str, Record]:
    """Split → a record that a hash deals to it."""
    records = [record(f"Text number {number} of many.") for number in range(60)]
    return dict(zip(splits_of(dealt(records)), records, strict=True))


def test_a_text_keeps_its_split_whatever_its_id_source_and_cluster_are_called() -> None:
    records = [record(text) for text in ROWS]
    first = dealt(records)
    assert (first.known, first.moved) == (0, 0)
    renamed = [record(text.upper() + "!", cluster=f"c{text}", source="other") for text in ROWS]
    again = dealt(renamed, first.ledger)
    assert splits_of(again) == splits_of(first)
    assert (again.known, again.moved) == (len(ROWS), 0)
    assert texts(again.ledger) == texts(first.ledger)


def test_a_new_row_goes_where_its_near_copy_is() -> None:
    for split, old in in_each_split().items():
        new = record("A near copy.", cluster="another")
        joined = [replace(old, cluster=new.cluster), new]
        assert splits_of(dealt(joined, dealt([old]).ledger)) == [split, split]


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
    joins = record("It joins both.")
    together = [replace(row, cluster=joins.cluster) for row in [*old, joins]]
    found = dealt(together, dealt(old).ledger)
    assert splits_of(found) == [protected] * 3
    assert (found.known, found.moved) == (2, 1)
    assert {*dealt([record("Nothing else.")], found.ledger).ledger.keys} > {*found.ledger.keys}


def test_a_text_that_is_gone_is_remembered() -> None:
    old = in_each_split()["test"]
    ledger = dealt([record(ROWS[0])], dealt([old]).ledger).ledger
    assert splits_of(dealt([replace(old, cluster="0" * 16)], ledger)) == ["test"]


def test_a_ledger_is_read_as_it_was_written_and_as_a_plain_reader_has_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    ledger = dealt([record(f"Text number {number} of many.") for number in range(300)]).ledger
    write_split_ledger(file, ledger)
    assert texts(read_split_ledger(file)) == texts(ledger)
    plain = {int(key, 16): PROTECTED.index(split) for key, split in read_ledger(file).items()}
    assert plain == texts(ledger)
    written = file.stat()
    write_split_ledger(file, ledger)
    assert file.stat().st_mtime_ns == written.st_mtime_ns
    write_split_ledger(tmp_path / "other.csv", read_split_ledger(file))
    assert (tmp_path / "other.csv").read_bytes() == file.read_bytes()
    assert not len(read_split_ledger(tmp_path / "none.csv").keys)


def test_a_text_of_two_splits_is_refused_with_its_later_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = ["text,split", f"{'b' * 16},test", f"{'a' * 16},train", f"{'b' * 16},train"]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"mine\.csv, line 4: 'bbbbbbbbbbbbbbbb,train'"):
        read_split_ledger(file)
    file.write_text("\n".join([*lines[:3], lines[1]]) + "\n")
    assert len(read_split_ledger(file).keys) == 2
