"""The store of events: saved before it is said, one server a product, a full disk loses nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.assignment import Assignment, Refused
from pipeline.annotation.people import Person
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import Accepted, NotSavedError, Store
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import PipelineError
from tests.support.labelling import LABELS, PRODUCT, logged, make_project, row_id, vote
from tests.support.small_disk import small_disk

ANN, BOB = Person(name="ann", published="p1"), Person(name="bob", published="p2", role="lead")
ASKED = Assignment(product=PRODUCT, problem="classification", labels=LABELS)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    root = make_project(tmp_path_factory.mktemp("rows"), [f"text {n}" for n in range(200)])
    path = root / "rows.arrow"
    write_rows(path, [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(path)


def _folder(root: Path) -> Path:
    return root / ".modelyard" / "annotation" / PRODUCT


@contextmanager
def _open(root: Path, rows: RowFile, assignment: Assignment = ASKED) -> Iterator[Store]:
    store = Store(
        _folder(root),
        rows=rows,
        people=(ANN, BOB),
        assignment=assignment,
        double_share=0.0,
        what="the server of a test",
    )
    try:
        yield store
    finally:
        store.close()


def _said(store: Store, person: Person, *events: Any) -> list[Any]:
    return store.submit(person, events).result(20)


def test_an_event_is_on_the_disk_when_it_is_answered(tmp_path: Path, rows: RowFile) -> None:
    with _open(tmp_path, rows) as store:
        said = _said(store, ANN, vote("a", row_id(1), "complaint", seconds=1.5, why="random"))
        assert said == [Accepted(uid="a", seq=1)]
        (kept,) = logged(tmp_path)
    assert (kept.event.labels, kept.event.seconds, kept.person) == (("complaint",), 1.5, "p1")
    place = rows.place(row_id(1))
    assert place is not None
    assert kept.text_sha == rows.row(place).text_sha


def test_of_many_events_the_wrong_ones_are_refused_and_the_others_kept(
    tmp_path: Path, rows: RowFile
) -> None:
    with _open(tmp_path, rows) as store:
        said = _said(
            store,
            ANN,
            vote("a", row_id(1), "complaint"),
            vote("b", row_id(2), "praise"),
            {"uid": "c", "event": "undo", "row": row_id(1), "undoes": "a"},
            {"uid": "d", "event": "undo", "row": row_id(1), "undoes": "unknown"},
            "no event",
        )
    assert [type(one) for one in said] == [Accepted, Refused, Accepted, Refused, Refused]
    assert said[1].got == "the label 'praise'"
    assert [kept.event.uid for kept in logged(tmp_path)] == ["a", "c"]


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no label": ("classification", vote("x", row_id(1))),
    "two labels": ("classification", vote("x", row_id(1), *LABELS)),
    "a number for a label": ("classification", vote("x", row_id(1), "complaint", number=1)),
    "a label twice": ("multi_label", vote("x", row_id(1), "complaint", "complaint")),
    "a label for a number": ("regression", vote("x", row_id(1), "complaint")),
    "no number": ("regression", vote("x", row_id(1))),
    "an infinite number": ("regression", vote("x", row_id(1), number=10**400)),
    "no id": ("classification", vote("x", "../../etc", "complaint")),
    "an empty uid": ("classification", vote("", row_id(1), "complaint")),
    "an unknown key": ("classification", vote("x", row_id(1), "complaint", person="p2")),
    "a comment without text": (
        "classification",
        {"uid": "x", "event": "comment", "row": row_id(1)},
    ),
    "a long comment": (
        "classification",
        {"uid": "x", "event": "comment", "row": row_id(1), "comment": "x" * 4001},
    ),
    "a skip with a label": (
        "classification",
        vote("x", row_id(1), "complaint") | {"event": "skip"},
    ),
    "an annotator who adjudicates": (
        "classification",
        vote("x", row_id(1), "complaint") | {"event": "adjudicate"},
    ),
    "another kind of event": ("classification", {"uid": "x", "event": "drop", "row": row_id(1)}),
}


@pytest.mark.parametrize(("problem", "event"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_answer_is_refused_with_a_reason(
    tmp_path: Path, rows: RowFile, problem: str, event: dict[str, Any]
) -> None:
    labels = ("stars",) if problem == "regression" else LABELS
    asked = Assignment(product=PRODUCT, problem=problem, labels=labels)
    with _open(tmp_path, rows, asked) as store:
        (said,) = _said(store, ANN, event)
    assert isinstance(said, Refused)
    assert said.got
    assert said.expected
    assert logged(tmp_path) == []


ODD: list[Any] = [
    None,
    [],
    {},
    "text",
    {"uid": 1, "event": "vote", "row": row_id(1)},
    {"uid": "x", "event": ["vote"], "row": row_id(1)},
    {"uid": "x", "event": "vote", "row": {"a": 1}},
    vote("x", row_id(1)) | {"labels": {"complaint": 1}},
    vote("x", row_id(1)) | {"labels": [["complaint"]]},
    vote("x", row_id(1), "complaint", seconds="3"),
    vote("x", row_id(1), "complaint", seconds=True),
    vote("x", row_id(1), "complaint", suggestion={"label": "complaint"}),
    vote("x" * 201, row_id(1), "complaint"),
    {"uid": "x", "event": "undo", "row": row_id(1)},
    vote("x", row_id(1), "complaint", undoes="x"),
]


def test_nothing_that_is_sent_stops_the_writer(tmp_path: Path, rows: RowFile) -> None:
    with _open(tmp_path, rows) as store:
        assert {type(one) for one in _said(store, ANN, *ODD)} == {Refused}
        assert _said(store, ANN, vote("y", row_id(1), "complaint")) == [Accepted(uid="y", seq=1)]


TAKEN = {
    "several labels": ("multi_label", vote("x", row_id(1), *LABELS)),
    "none of several": ("multi_label", vote("x", row_id(1))),
    "a number": ("regression", vote("x", row_id(1), number=3)),
    "a row that is no longer in the data": ("classification", vote("x", row_id(999), "complaint")),
    "an empty comment": (
        "classification",
        {"uid": "x", "event": "comment", "row": row_id(1), "comment": ""},
    ),
}


@pytest.mark.parametrize(("problem", "event"), TAKEN.values(), ids=TAKEN)
def test_each_kind_of_answer_is_taken(
    tmp_path: Path, rows: RowFile, problem: str, event: dict[str, Any]
) -> None:
    labels = ("stars",) if problem == "regression" else LABELS
    asked = Assignment(product=PRODUCT, problem=problem, labels=labels)
    with _open(tmp_path, rows, asked) as store:
        assert _said(store, ANN, event) == [Accepted(uid="x", seq=1)]


def test_requests_that_come_at_once_are_all_answered_each_event_once(
    tmp_path: Path, rows: RowFile
) -> None:
    with _open(tmp_path, rows) as store:
        futures = [
            store.submit(person, [vote(f"u{n}", row_id(n), "complaint")])
            for n in range(100)
            for person in (ANN, BOB, ANN)
        ]
        said = [future.result(20)[0] for future in futures]
    for person, start in (("p1", 0), ("p2", 1)):
        assert [kept.seq for kept in logged(tmp_path, person)] == [*range(1, 101)]
        uids = [f"u{n}" for n in range(100)]
        expected = [Accepted(uid=uid, seq=seq) for seq, uid in enumerate(uids, start=1)]
        assert said[start::3] == expected


def test_after_a_restart_what_was_answered_does_not_come_again(
    tmp_path: Path, rows: RowFile
) -> None:
    with _open(tmp_path, rows) as store:
        first = [row.id for row in store.next_rows(ANN, 3)]
        _said(store, ANN, *(vote(row, row, "question") for row in first))
    with _open(tmp_path, rows) as store:
        assert store.answered(ANN) == 3
        assert store.unlabelled == 197
        assert not {row.id for row in store.next_rows(ANN, 10)} & {*first}
        assert not {row.id for row in store.next_rows(BOB, 10)} & {*first}
        assert [kept.event.row for kept in store.history(ANN, 2)] == first[:0:-1]


def test_a_second_store_is_refused_and_told_who_has_it(tmp_path: Path, rows: RowFile) -> None:
    with _open(tmp_path, rows) as store:
        with pytest.raises(PipelineError, match="the server of a test, process") as error:
            _open(tmp_path, rows).__enter__()
        assert error.value.expected == "one annotation server a product"
        assert _said(store, ANN, vote("a", row_id(1), "complaint"))
    with _open(tmp_path, rows):
        pass


def test_a_full_disk_is_said_and_what_was_sent_can_be_sent_again(
    tmp_path: Path, rows: RowFile
) -> None:
    with small_disk(_folder(tmp_path), kilobytes=64) as disk, _open(tmp_path, rows) as store:
        events = [vote(f"u{n}", row_id(n), "complaint", why="x" * 200) for n in range(200)]
        saved, error = 0, None
        for event in events:
            sent = store.submit(ANN, [event])
            if (error := sent.exception(20)) is not None:
                break
            saved += 1
        assert isinstance(error, DiskFullError)
        assert "bytes are free" in error.got
        assert 10 < saved == len(logged(tmp_path))
        disk.grow()
        said = _said(store, ANN, *events)
        assert [one.seq for one in said] == [*range(1, 201)]
        assert len(logged(tmp_path)) == 200


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, rows: RowFile) -> None:
    with _open(tmp_path, rows) as store:
        _folder(tmp_path).joinpath("votes").write_text("no folder")
        with pytest.raises(NotSavedError):
            _said(store, ANN, vote("a", row_id(1), "complaint"))
        _folder(tmp_path).joinpath("votes").unlink()
        assert _said(store, ANN, vote("a", row_id(1), "complaint")) == [Accepted(uid="a", seq=1)]
