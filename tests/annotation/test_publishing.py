"""What is published of the events: the last word of each person, equal bytes for equal votes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import read_event
from pipeline.annotation.people import Person
from pipeline.annotation.publishing import NO_LABEL, NO_ROW, publication, publish
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import log_file
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.errors import DataError
from pipeline.core.files import read_json, sha256_file
from pipeline.data.annotations import read_annotations
from pipeline.metrics.agreement_details import agreement_details
from pipeline.problem.problems import problem_named
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

PEOPLE = (Person(name="ann", published="p1"), Person(name="bob", published="p2"))
TIME = "2026-12-01T09:00:00.{:03d}+00:00"


def _rows(root: Path, texts: list[str]) -> RowFile:
    make_project(root, texts)
    write_rows(root / "rows.arrow", [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(root / "rows.arrow")


@pytest.fixture
def rows(tmp_path: Path) -> RowFile:
    return _rows(tmp_path / "data", [f"text {number}" for number in range(50)])


def _log(folder: Path, person: str, *events: dict[str, Any], sha: str | None = None) -> None:
    log = EventLog(log_file(folder, person), each=lambda kept: None)
    for event in events:
        given = [(read_event(event), sha)]
        log.add(given, person=person, time=TIME.format(log.events))
    log.close()


def _publish(
    folder: Path,
    rows: RowFile,
    *,
    problem: str = "classification",
    labels: Any = LABELS,
    product: str = PRODUCT,
) -> dict[str, Any]:
    asked = Assignment(product=product, problem=problem, labels=labels)
    found = publication(folder, rows=rows, people=PEOPLE, assignment=asked, seed=3)
    return publish(found, folder / "annotations", product=product)


def _read(folder: Path, *, problem: str = "classification", labels: Any = LABELS) -> Any:
    known = {row_id(number) for number in range(50)}
    return read_annotations(
        folder / "annotations", problem=problem_named(problem), labels=labels, known=known
    )


def test_label_reads_the_last_word_of_each_person_and_no_skip(
    tmp_path: Path, rows: RowFile
) -> None:
    _log(
        tmp_path,
        "p1",
        vote("a", row_id(1), "complaint"),
        vote("b", row_id(1), "question"),
        vote("c", row_id(2), "complaint"),
        {"uid": "d", "event": "undo", "row": row_id(2), "undoes": "c"},
        {"uid": "e", "event": "skip", "row": row_id(3)},
        {"uid": "f", "event": "comment", "row": row_id(1), "comment": "unsure"},
    )
    _log(tmp_path, "p2", vote("a", row_id(1), "complaint"))
    manifest = _publish(tmp_path, rows)
    assert _read(tmp_path) == {row_id(1): {"p1": "question", "p2": "complaint"}}
    assert (manifest["rows"], manifest["votes"], manifest["skips"]) == (1, 2, 1)
    assert manifest["people"] == {"p1": 1, "p2": 1}
    assert manifest == read_json(tmp_path / "annotations" / "manifest.json")
    assert manifest["sha256"] == sha256_file(tmp_path / "annotations" / "votes.parquet")
    table = pq.read_table(tmp_path / "annotations" / "votes.parquet").to_pylist()
    assert [line["comment"] for line in table] == ["unsure", None]
    assert {line["annotator"] for line in table} == {"p1", "p2"}


def test_equal_votes_give_equal_bytes_however_often_they_are_published(
    tmp_path: Path, rows: RowFile
) -> None:
    events = [vote(f"u{n}", row_id(n), LABELS[n % 2]) for n in range(20)]
    _log(tmp_path / "one", "p1", *events)
    _log(tmp_path / "two", "p1", *events)
    sums = {_publish(folder, rows)["sha256"] for folder in (tmp_path / "one", tmp_path / "two") * 2}
    assert len(sums) == 1


@pytest.mark.parametrize(
    ("problem", "labels", "event", "read"),
    [
        ("multi_label", ("angry", "sad"), vote("a", row_id(1), "sad", "angry"), "angry|sad"),
        ("multi_label", ("angry", "sad"), vote("a", row_id(1)), ""),
        ("regression", ("stars",), vote("a", row_id(1), number=4), "4.0"),
    ],
    ids=["several labels", "none of several", "a number"],
)
def test_every_kind_of_answer_comes_to_label_as_it_was_given(
    tmp_path: Path, rows: RowFile, problem: str, labels: Any, event: dict[str, Any], read: str
) -> None:
    _log(tmp_path, "p1", event)
    _publish(tmp_path, rows, problem=problem, labels=labels)
    assert _read(tmp_path, problem=problem, labels=labels) == {row_id(1): {"p1": read}}


def test_agreement_is_that_of_the_labels_that_two_people_gave(
    tmp_path: Path, rows: RowFile
) -> None:
    chance = np.random.default_rng(1)
    pairs = [(LABELS[n % 2], LABELS[(n + int(chance.random() < 0.2)) % 2]) for n in range(40)]
    for person, which in (("p1", 0), ("p2", 1)):
        _log(tmp_path, person, *(vote(f"u{n}", row_id(n), p[which]) for n, p in enumerate(pairs)))
    manifest = _publish(tmp_path, rows)
    given = {row_id(n): dict(zip(("p1", "p2"), pair, strict=True)) for n, pair in enumerate(pairs)}
    problem = problem_named("classification")
    details = agreement_details(given, problem=problem, labels=LABELS, seed=3)
    expected = details.findings.coefficients
    assert expected is not None
    # Equal to what the stage `label` will say of them.
    for name, ends, found in (
        ("alpha", "interval", expected.alpha),
        ("ac1", "ac1_interval", expected.ac1),
        ("kappa", "kappa_interval", expected.fleiss_kappa),
    ):
        assert found is not None
        assert (manifest[name], manifest[ends]) == (found.value, found.interval)
    assert manifest["double_rows"] == 40


def test_what_is_left_out_is_counted_with_the_reason(tmp_path: Path, rows: RowFile) -> None:
    _log(
        tmp_path,
        "p1",
        vote("a", row_id(1), "complaint"),
        vote("b", row_id(999), "complaint"),
        vote("c", row_id(2), "an old label"),
    )
    manifest = _publish(tmp_path, rows)
    assert manifest["left_out"] == {NO_LABEL: 1, NO_ROW: 1}
    assert [*_read(tmp_path)] == [row_id(1)]


def test_a_vote_outlives_a_renamed_source_by_its_text(tmp_path: Path, rows: RowFile) -> None:
    sha = rows.row(7).text_sha
    _log(tmp_path, "p1", vote("a", row_id(999), "complaint"), sha=sha)
    manifest = _publish(tmp_path, rows)
    assert (manifest["renamed"], manifest["left_out"]) == (1, {})
    assert _read(tmp_path) == {rows.row(7).id: {"p1": "complaint"}}


def test_where_nobody_has_labelled_nothing_but_counts_is_published(
    tmp_path: Path, rows: RowFile
) -> None:
    manifest = _publish(tmp_path, rows)
    assert (manifest["rows"], manifest["alpha"], manifest["interval"]) == (0, None, None)
    assert (manifest["ac1"], manifest["kappa"]) == (None, None)
    assert _read(tmp_path) == {}


def test_the_votes_of_another_product_are_not_overwritten(tmp_path: Path, rows: RowFile) -> None:
    _log(tmp_path, "p1", vote("u1", row_id(1), LABELS[0]))
    before = _publish(tmp_path, rows)
    with pytest.raises(DataError) as error:
        _publish(tmp_path, rows, product="complaints")
    assert PRODUCT in error.value.got
    assert "complaints" in error.value.expected
    assert sha256_file(tmp_path / "annotations" / "votes.parquet") == before["sha256"]
    assert _publish(tmp_path, rows) == before
