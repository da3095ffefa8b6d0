"""GLUE's files are read as they are: tabs separate, quotes are letters, broken lines are counted."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.glue.official_files import read_labelled, read_unlabelled
from pipeline.glue.tasks import SUBMISSIONS, TASKS
from tests.support.glue_files import write_glue


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_glue(tmp_path)
    return tmp_path


def append(path: Path, *lines: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "".join(f"{x}\n" for x in lines), "utf-8")


def test_cola_has_no_header_and_its_marks_are_no_text(data: Path) -> None:
    rows = read_labelled(TASKS["CoLA"], data / "CoLA/train.tsv")
    assert len(rows.texts) == 24
    assert rows.texts[:2] == ["Band the well played.", "The band played well."]
    assert rows.targets[:2] == [0.0, 1.0]
    assert rows.seconds == []
    test = read_unlabelled(TASKS["CoLA"], data / "CoLA/test.tsv")
    assert test.indices == ["0", "1", "2", "3", "4"]


def test_a_byte_order_mark_hides_no_column(data: Path) -> None:
    rows = read_labelled(TASKS["MRPC"], data / "MRPC/train.tsv")
    assert len(rows.texts) == len(rows.seconds) == 24


def test_quotes_are_not_quotes(data: Path) -> None:
    said = 'own\t1\t\t"A stray quote, never closed'
    append(data / "CoLA/train.tsv", said, "own\t0\t*\t\"quoted\" and 'so'")
    texts = read_labelled(TASKS["CoLA"], data / "CoLA/train.tsv").texts
    assert texts[-2:] == ['"A stray quote, never closed', "\"quoted\" and 'so'"]


def test_a_line_with_a_stray_tab_is_counted_and_left_out_and_many_are_refused(data: Path) -> None:
    path = data / "CoLA/train.tsv"
    append(path, "own\t1\t\tOne\ttab too many")
    rows = read_labelled(TASKS["CoLA"], path)
    assert rows.malformed == 1
    assert len(rows.texts) == 24
    append(path, "own\t1")
    with pytest.raises(DataError, match="row 26: 2 columns; 2 such rows so far"):
        read_labelled(TASKS["CoLA"], path)


def test_no_row_that_is_to_be_answered_may_be_left_out(data: Path) -> None:
    append(data / "RTE/test.tsv", "2\ta\tb\tc")
    with pytest.raises(DataError, match="row 3: 4 columns"):
        read_unlabelled(TASKS["RTE"], data / "RTE/test.tsv")


@pytest.mark.parametrize("label", ["maybe", "3.8", "entailment,not_entailment"])
def test_what_is_no_label_is_named_with_its_row(data: Path, label: str) -> None:
    append(data / "RTE/train.tsv", f"99\ta\tb\t{label}")
    with pytest.raises(DataError, match=f"row 25: label '{label}'") as caught:
        read_labelled(TASKS["RTE"], data / "RTE/train.tsv")
    assert caught.value.expected == "one of: entailment, not_entailment"


@pytest.mark.parametrize("label", ["7.5", "entailment", "nan", "", "3.8,1.2"])
def test_what_is_no_score_is_named_with_its_row(data: Path, label: str) -> None:
    path = data / "STS-B/train.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = "\t".join([*lines[3].split("\t")[:-1], label])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"row 3: label '{label}'") as caught:
        read_labelled(TASKS["STS-B"], path)
    assert caught.value.expected == "a score from 0 to 5"


@pytest.mark.parametrize(
    ("text", "message"),
    [("index\tsentence1\tsentence2\tlabel\n", "has no rows"), ("\n\n", "is empty")],
)
def test_a_file_of_a_header_alone_and_an_empty_file_are_refused(
    data: Path, text: str, message: str
) -> None:
    (data / "RTE/train.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_labelled(TASKS["RTE"], data / "RTE/train.tsv")


def test_other_columns_an_absent_file_and_broken_utf8_are_refused(data: Path) -> None:
    with pytest.raises(DataError, match="a column 'question1'") as caught:
        read_labelled(TASKS["QQP"], data / "RTE/train.tsv")
    assert "RTE/train.tsv" in caught.value.got
    with pytest.raises(DataError, match=r"no QQP/train\.tsv"):
        read_labelled(TASKS["QQP"], data / "QQP/train.tsv")
    (data / "RTE/train.tsv").write_bytes(b"index\tsentence1\n0\t\xff\n")
    with pytest.raises(DataError, match=r"RTE/train\.tsv, line 2: byte 0xff is not UTF-8"):
        read_labelled(TASKS["RTE"], data / "RTE/train.tsv")


def test_the_leaderboards_files_are_these() -> None:
    single = {"AX", "CoLA", "MRPC", "QNLI", "QQP", "RTE", "SST-2", "STS-B", "WNLI"}
    assert set(SUBMISSIONS) == {f"{name}.tsv" for name in single | {"MNLI-m", "MNLI-mm"}}


def test_rows_to_be_answered_stand_in_their_official_places(data: Path) -> None:
    path = data / "RTE/test.tsv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"RTE/test\.tsv, row 1: index '1'") as caught:
        read_unlabelled(TASKS["RTE"], path)
    assert caught.value.expected.startswith("0:")
