"""The files of splits are read as they were written, a damaged one is refused, and texts are added to them."""

import tracemalloc
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.core.split_files import Ledger, add_ledgers, ledger_file, read_ledger, write_entries

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
KEY, OTHER = "0" * 16, "1" * 16


def write_ledger(file: Path, ledger: Ledger) -> None:
    write_entries(file, lambda: sorted(ledger.items()))


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


@pytest.mark.parametrize(
    "lines",
    [
        [f"{OTHER},test", f"{KEY},train"],
        [f"{KEY},train", f"{KEY},train", f"{OTHER},test"],
        [f"{OTHER},test", f"{KEY},train", f"{OTHER},test"],
    ],
    ids=["out of order", "a line twice", "both"],
)
@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "theirs"])
def test_ledgers_as_git_may_merge_them_are_added_in_order(
    tmp_path: Path, lines: list[str], is_ours: bool
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    odd, other = (ours, theirs) if is_ours else (theirs, ours)
    odd.mkdir()
    (odd / "a.csv").write_text("\n".join(["text,split", *lines, ""]))
    write_ledger(other / "a.csv", {"2" * 16: "train"})
    add_ledgers(theirs, ours, with_moves=True)
    assert (ours / "a.csv").read_text().splitlines() == [
        "text,split",
        f"{KEY},train",
        f"{OTHER},test",
        f"{'2' * 16},train",
    ]


@pytest.mark.parametrize("damaged", ["ours", "theirs"])
@pytest.mark.parametrize(
    "lines",
    [f"{KEY},train\n{KEY},test\n", f"{OTHER},train\n{KEY},train\n{KEY},test\n", "?\n"],
    ids=["two splits of a text", "two splits out of order", "no line of a ledger"],
)
def test_a_damaged_ledger_is_neither_added_nor_added_to(
    tmp_path: Path, damaged: str, lines: str
) -> None:
    for name in ("ours", "theirs"):
        write_ledger(tmp_path / name / "a.csv", {"2" * 16: "train"})
    (tmp_path / damaged / "a.csv").write_text(f"text,split\n{lines}")
    before = (tmp_path / "ours" / "a.csv").read_bytes()
    with pytest.raises(DataError, match=f"{damaged}/a.csv, line"):
        add_ledgers(tmp_path / "theirs", tmp_path / "ours", with_moves=True)
    assert (tmp_path / "ours" / "a.csv").read_bytes() == before


def test_adding_ledgers_holds_no_text_of_them_in_memory(tmp_path: Path) -> None:
    rows = 5_000
    for name, first in (("ours", 0), ("theirs", rows // 2)):
        ledger = {f"{key:016x}": "train" for key in range(first, first + rows)}
        write_ledger(tmp_path / name / "a.csv", ledger)
    tracemalloc.start()
    try:
        add_ledgers(tmp_path / "theirs", tmp_path / "ours", with_moves=True)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 40 * rows  # a text of a dictionary takes more than twice as much
    assert len(read_ledger(tmp_path / "ours" / "a.csv")) == rows * 3 // 2
