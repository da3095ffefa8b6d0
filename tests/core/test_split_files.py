"""The files of splits are read as they were written, a damaged one is refused, and texts are added to them."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.core.split_files import add_ledgers, ledger_file, read_ledger, write_ledger

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
KEY, OTHER = "0" * 16, "1" * 16


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = ledger_file(tmp_path, product="mine", salt="s", shares=SHARES)
    ledger = {OTHER: "test", KEY: "train"}
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


@pytest.mark.parametrize(("with_moves", "of_key"), [(True, "validation"), (False, "train")])
def test_texts_are_added_to_a_ledger_and_move_to_a_more_protected_split_if_at_all(
    tmp_path: Path, with_moves: bool, of_key: str
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_ledger(ours / "a.csv", {KEY: "train", OTHER: "test"})
    write_ledger(theirs / "a.csv", {KEY: "validation", OTHER: "train", "2" * 16: "train"})
    write_ledger(theirs / "b.csv", {KEY: "train"})
    add_ledgers(theirs, ours, with_moves=with_moves)
    assert read_ledger(ours / "a.csv") == {KEY: of_key, OTHER: "test", "2" * 16: "train"}
    assert read_ledger(ours / "b.csv") == {KEY: "train"}
