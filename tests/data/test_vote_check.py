"""A file of labels that people gave is told as such, and what a spreadsheet damaged in it is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.layout import Layout
from pipeline.data.vote_check import VoteFacts, check_votes, holds_votes

IDS = ["9d26fed4fa51767a", "515dfc0f6d642ae4", "1234567890123450", "73928e0573928e05"]


def checked(folder: Path, ids: Sequence[str], time: str = "2026-01-10T09:05:00+09:00") -> VoteFacts:
    lines = [f"{name},{'mina' if n % 2 else 'jun'},good,{time}" for n, name in enumerate(ids)]
    path = folder / "a.csv"
    path.write_text("\n".join(["id,annotator,label,time", *lines, f"{IDS[0]},,,"]), "utf-8")
    return check_votes(path, Layout())


def test_votes_are_counted(tmp_path: Path) -> None:
    facts = checked(tmp_path, IDS)
    assert (facts.rows, facts.votes, facts.labels) == (5, 4, {"good": 4})
    assert "put the file into annotations/" in facts.notes[0]
    assert facts.notes[1:] == ("4 labels of 2 people on 4 rows", "1 lines have no label yet")


@pytest.mark.parametrize("damaged", ["5.2E+19", "7,39E+09", "12345678901234500000"])
def test_an_id_that_a_spreadsheet_made_a_number_is_refused(tmp_path: Path, damaged: str) -> None:
    with pytest.raises(DataError, match=r"line 6: '.*' is a number that a spreadsheet made"):
        checked(tmp_path, [*IDS, f'"{damaged}"'])


def test_ids_that_no_row_can_have_and_rare_labels_are_told(tmp_path: Path) -> None:
    assert "1 of 5 ids are not 16 hex digits" in checked(tmp_path, [*IDS, "row-7"]).notes[-1]


@pytest.mark.parametrize("time", ["1/10/2026 9:05", "46000.378", "2026.01.10"])
def test_a_time_that_is_not_iso_8601_is_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(DataError, match="line 2: the time"):
        checked(tmp_path, IDS, time)


def test_a_file_with_texts_is_no_file_of_votes() -> None:
    assert holds_votes(["time", "id", "annotator", "label"])
    assert not holds_votes(["id", "text", "annotator", "label"])
    assert not holds_votes(["id", "label"])
