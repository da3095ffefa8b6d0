"""A submission has the leaderboard's format, and the check finds what it would refuse."""

import zipfile
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.glue.submission import answers_of, check_submission, write_submission
from pipeline.glue.tasks import TASKS


def a_zip(path: Path, name: str, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)
    return path


def test_answers_are_the_official_strings() -> None:
    assert answers_of(TASKS["RTE"], [0.0, 1.0]) == ["entailment", "not_entailment"]
    assert answers_of(TASKS["CoLA"], [1.0]) == ["1"]
    assert answers_of(TASKS["MNLI"], [0, 1, 2]) == ["contradiction", "entailment", "neutral"]
    assert answers_of(TASKS["STS-B"], [-0.3, 2.71828, 6.0]) == ["0.000", "2.718", "5.000"]


def test_a_submission_is_tab_separated_with_a_header_and_the_same_twice(tmp_path: Path) -> None:
    answers = {"RTE.tsv": ["entailment", "not_entailment"], "STS-B.tsv": ["2.500"]}
    for name in ("one.zip", "two.zip"):
        write_submission(tmp_path / name, answers)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["RTE.tsv", "STS-B.tsv"]
        assert archive.read("RTE.tsv") == b"index\tprediction\n0\tentailment\n1\tnot_entailment\n"
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    check_submission(tmp_path / "one.zip", {"RTE.tsv": 2, "STS-B.tsv": 1})


def test_an_answer_that_is_none_leaves_the_earlier_submission(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    write_submission(path, {"RTE.tsv": ["entailment"]})
    earlier = path.read_bytes()
    with pytest.raises(DataError, match="row 1 answers 'maybe'"):
        write_submission(path, {"RTE.tsv": ["entailment", "maybe"]})
    assert path.read_bytes() == earlier
    assert [file.name for file in tmp_path.iterdir()] == ["submission.zip"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("SNLI.tsv", "index\tprediction\n", "not a file of the leaderboard"),
        ("RTE.tsv", "id\tlabel\n0\tentailment\n", "begins with"),
        ("RTE.tsv", "index\tprediction\n0\tentailment\n1\tentailment\n", "has 2 rows"),
        ("RTE.tsv", "index\tprediction\n1\tentailment\n", "row 0 is"),
        ("RTE.tsv", "index\tprediction\n0,entailment\n", "row 0 is"),
        ("RTE.tsv", "index\tprediction\n0\t1\n", "row 0 answers '1'"),
        ("RTE.tsv", "index\tprediction\n0\tentailment", "has 0 rows"),
        ("AX.tsv", "index\tprediction\n0\tnot_entailment\n", "answers 'not_entailment'"),
        ("STS-B.tsv", "index\tprediction\n0\t5.1\n", "answers '5.1'"),
        ("STS-B.tsv", "index\tprediction\n0\tnan\n", "answers 'nan'"),
    ],
)
def test_what_the_leaderboard_would_refuse_is_found(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check_submission(a_zip(tmp_path / "made.zip", name, text), {name: 1})
