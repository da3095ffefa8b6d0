"""A worktree has the ledgers of its own product."""

from pathlib import Path

from flows.execution.split_ledgers import bring_splits


def test_the_ledgers_of_other_products_stay_away(tmp_path: Path) -> None:
    source, target = tmp_path / "splits", tmp_path / "worktree" / "splits"
    source.mkdir()
    names = ["tickets-0123abcd.csv", "tickets-4567cdef.csv", "tickets-old-0123abcd.csv"]
    for name in names:
        (source / name).write_text(f"text,split\n{'0' * 16},test\n", encoding="utf-8")
    bring_splits(source, target, product="tickets")
    assert sorted(file.name for file in target.iterdir()) == names[:2]
    assert (target / names[0]).read_bytes() == (source / names[0]).read_bytes()
    bring_splits(source, target, product="tickets-old")
    assert [file.name for file in target.iterdir()] == names[2:]
