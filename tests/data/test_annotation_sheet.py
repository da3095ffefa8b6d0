"""Which rows people should label: how many, as a sheet that a spreadsheet reads, and in words."""

import csv
import io
from pathlib import Path

from pipeline.core.errors import LabelsNeededError
from pipeline.data.annotation_sheet import labels_needed, labels_wanted, write_sheet
from pipeline.data.records import Record
from tests.support.small_reviews import params

LIMITS = params("validate.min_rows_per_label=50").validate_


def test_a_product_starts_with_300_labels_and_more_where_it_has_many_different_ones() -> None:
    assert labels_wanted(2, LIMITS) == 300
    assert labels_wanted(7, LIMITS) == 700


def test_a_sheet_has_ids_and_texts_and_room_for_who_and_which(tmp_path: Path) -> None:
    rows = [Record(id="1a", text='환불해 주세요, "지금"'), Record(id="2b", text="two\nlines")]
    write_sheet(tmp_path / "sheet.csv", rows, most=10)
    text = (tmp_path / "sheet.csv").read_bytes().decode("utf-8-sig")
    assert (tmp_path / "sheet.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert [*csv.reader(io.StringIO(text, newline=""))] == [
        ["id", "text", "annotator", "label"],
        ["1a", '환불해 주세요, "지금"', "", ""],
        ["2b", "two\nlines", "", ""],
    ]


def test_the_end_of_a_build_without_labels_says_how_many_and_what_to_do() -> None:
    error = labels_needed(
        {"good": 0, "bad": 0}, labelled=0, unlabelled=5000, limits=LIMITS, sheet="to_annotate.csv"
    )
    assert isinstance(error, LabelsNeededError)
    assert error.is_answer
    assert error.got == "none of 5,000 rows has a label"
    assert "annotate: about 300 labels" in error.next_step


def test_with_some_labels_it_says_how_many_each_has_and_asks_for_the_rest() -> None:
    error = labels_needed(
        {"good": 130, "bad": 20},
        labelled=150,
        unlabelled=4850,
        limits=LIMITS,
        sheet="to_annotate.csv",
    )
    assert error.got == "150 of 5,000 rows have a label (good: 130, bad: 20)"
    assert "annotate: about 150 labels" in error.next_step
    assert "at least 50 of each label" in error.expected


def test_it_asks_for_no_more_rows_than_there_are() -> None:
    error = labels_needed(
        {"good": 0, "bad": 0}, labelled=0, unlabelled=120, limits=LIMITS, sheet="to_annotate.csv"
    )
    assert "annotate: about 120 labels" in error.next_step


def test_ids_like_numbers_stay_out_of_a_sheet_and_texts_like_formulas_are_no_formulas(
    tmp_path: Path,
) -> None:
    """A spreadsheet would make `1.2E+17` of the one, and compute the other."""
    ids = ["1234567890123456", "12e4567890123456", "12f4567890123456", "e234567890123456"]
    rows = [Record(id=key, text=f"{sign}1 text") for key, sign in zip(ids, "abc=", strict=True)]
    write_sheet(tmp_path / "sheet.csv", rows, most=10)
    text = (tmp_path / "sheet.csv").read_text(encoding="utf-8-sig")
    found = [*csv.DictReader(io.StringIO(text))]
    assert [(row["id"], row["text"]) for row in found] == [
        ("12f4567890123456", "c1 text"),
        ("e234567890123456", "'=1 text"),
    ]
