"""The file of decisions: what is written is what label reads, with equal bytes for equal decisions."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.files import sha256_file
from pipeline.data.adjudications import (
    ADJUDICATED,
    FILE,
    Adjudication,
    decided,
    read_adjudications,
    soft_labels,
    write_adjudications,
)
from pipeline.data.annotations import read_annotations
from pipeline.problem.problems import problem_named

LABELS = ["good", "bad", "so-so"]
KNOWN = {"r1", "r2", "r3"}


def decision(row: str, label: str, **more: Any) -> Adjudication:
    usual: dict[str, Any] = {
        "why": "slip",
        "shares": {"good": 0.75, "bad": 0.25},
        "comment": "it is irony",
        "guide": "g1",
        "time": "2026-12-01T09:00:00.000Z",
        "person": "p3",
        "text_sha": "00ff",
    }
    return Adjudication(id=row, label=label, **usual | more)


def read(
    folder: Path, problem: str = "classification", labels: Any = LABELS
) -> dict[str, Adjudication]:
    return read_adjudications(folder, problem=problem_named(problem), labels=labels, known=KNOWN)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    plain = decision("r2", "bad", shares={}, comment=None, guide=None, text_sha=None)
    write_adjudications(tmp_path, [plain, decision("r1", "good")])
    assert read(tmp_path) == {"r1": decision("r1", "good"), "r2": plain}


def test_equal_decisions_give_equal_bytes_in_whatever_order_they_come(tmp_path: Path) -> None:
    rows = [decision(f"r{number}", "good") for number in range(50)]
    write_adjudications(tmp_path, rows)
    before = sha256_file(tmp_path / FILE)
    write_adjudications(tmp_path, reversed(rows))
    assert sha256_file(tmp_path / FILE) == before


def test_where_nothing_is_decided_there_is_no_file(tmp_path: Path) -> None:
    assert read(tmp_path) == {}
    write_adjudications(tmp_path, [decision("r1", "good")])
    write_adjudications(tmp_path, [])
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    ("problem", "labels", "cell", "stored"),
    [
        ("classification", LABELS, "so-so", "so-so"),
        ("classification", ["[x]", "y"], '["[x]"]', "[x]"),
        ("multi_label", LABELS, '["bad", "good"]', "good|bad"),
        ("multi_label", LABELS, "[]", ""),
        ("regression", ["stars"], "4.0", "4.0"),
    ],
)
def test_each_kind_of_answer_is_read_as_tables_store_it(
    tmp_path: Path, problem: str, labels: Any, cell: str, stored: str
) -> None:
    write_adjudications(tmp_path, [decision("r1", cell)])
    assert read(tmp_path, problem, labels)["r1"].label == stored


def test_the_file_is_none_of_votes(tmp_path: Path) -> None:
    write_adjudications(tmp_path, [decision("r1", "good")])
    votes = read_annotations(
        tmp_path, problem=problem_named("classification"), labels=LABELS, known=KNOWN
    )
    assert votes == {}


def test_decisions_on_rows_that_are_not_in_the_data_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_adjudications(tmp_path, [decision("gone", "old label"), decision("r1", "good")])
    assert [*read(tmp_path)] == ["r1"]
    assert "1 adjudicated ids are of no row" in capsys.readouterr().out


def test_a_label_that_the_product_does_not_have_is_refused(tmp_path: Path) -> None:
    write_adjudications(tmp_path, [decision("r1", "praise")])
    with pytest.raises(DataError, match=r"adjudicated\.parquet, row 1"):
        read(tmp_path)


@pytest.mark.parametrize("kind", ["other columns", "damaged"])
def test_another_file_of_that_name_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "damaged":
        (tmp_path / FILE).write_bytes(b"PAR1")
    else:
        pq.write_table(pa.table({"id": ["r1"], "label": ["good"]}), tmp_path / FILE)
    with pytest.raises(ArtifactError, match="other columns"):
        read(tmp_path)


def test_a_decision_is_the_only_vote_on_its_row() -> None:
    votes = {"r1": {"p1": "good", "p2": "bad"}, "r2": {"p1": "good"}}
    found = decided(votes, {"r1": decision("r1", "bad"), "r3": decision("r3", "good")})
    assert found == {"r1": {ADJUDICATED: "bad"}, "r2": {"p1": "good"}, "r3": {ADJUDICATED: "good"}}
    assert decided(votes, {}) == votes


def test_rows_that_are_truly_ambiguous_keep_the_shares_of_the_people() -> None:
    decisions = {
        "r1": decision("r1", "good", why="ambiguous"),
        "r2": decision("r2", "good", why="slip"),
        "r3": decision("r3", "good", why="guide"),
    }
    of_one = soft_labels(decisions, problem=problem_named("classification"), labels=LABELS)
    assert of_one == {"r1": [0.75, 0.25, 0.0]}
    several = {"r1": decision("r1", "good", why="ambiguous", shares={"good": 1.0, "bad": 0.5})}
    found = soft_labels(several, problem=problem_named("multi_label"), labels=LABELS)
    assert found == {"r1": [1.0, 0.5, 0.0]}
    number = {"r1": decision("r1", "4.0", why="ambiguous", shares={})}
    assert soft_labels(number, problem=problem_named("regression"), labels=["stars"]) == {}


def test_shares_of_a_label_that_is_gone_go_to_the_others() -> None:
    decisions = {"r1": decision("r1", "bad", why="ambiguous")}
    found = soft_labels(decisions, problem=problem_named("classification"), labels=["so-so", "bad"])
    assert found == {"r1": [0.0, 1.0]}
