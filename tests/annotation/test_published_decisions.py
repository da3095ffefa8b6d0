"""Decisions are published with the shares of the people, once a row, and label takes them for certain."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import read_event
from pipeline.annotation.people import Person, Role
from pipeline.annotation.publishing import NO_LABEL, NO_ROW, publication, publish
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import log_file
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.files import sha256_file
from pipeline.data.adjudications import FILE, Adjudication, read_adjudications
from pipeline.problem.problems import problem_named
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

TIME = "2026-12-01T09:00:{:02d}.000+00:00"


class _Project:
    """People's logs, and what is published of them."""

    def __init__(self, root: Path, problem: str, labels: Any) -> None:
        self.root, self.problem, self.labels = root, problem, labels
        make_project(root / "data", [f"text {number}" for number in range(20)])
        write_rows(root / "rows.arrow", [root / "data" / "artifacts" / ValidatedCorpus.FILE])
        self.rows = RowFile(root / "rows.arrow")
        self.roles: dict[str, Role] = {"p1": "annotator", "p2": "annotator", "p3": "lead"}

    def log(
        self, person: str, *events: dict[str, Any], at: int = 0, sha: str | None = None
    ) -> None:
        log = EventLog(log_file(self.root, person), each=lambda kept: None)
        for event in events:
            log.add([(read_event(event), sha)], person=person, time=TIME.format(at))
        log.close()

    def publish(self) -> dict[str, Any]:
        people = tuple(
            Person(name=f"name of {name}", published=name, role=role)
            for name, role in self.roles.items()
        )
        asked = Assignment(product=PRODUCT, problem=self.problem, labels=self.labels)
        found = publication(self.root, rows=self.rows, people=people, assignment=asked, seed=1)
        return publish(found, self.root / "annotations", product=PRODUCT)

    def read(self) -> dict[str, Adjudication]:
        return read_adjudications(
            self.root / "annotations",
            problem=problem_named(self.problem),
            labels=self.labels,
            known={row_id(number) for number in range(20)},
        )


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> _Project:
    problem, labels = getattr(request, "param", ("classification", LABELS))
    return _Project(tmp_path, problem, labels)


def decision(uid: str, row: int, *labels: str, **more: Any) -> dict[str, Any]:
    return vote(uid, row_id(row), *labels, **{"why": "slip", **more}) | {"event": "adjudicate"}


def test_a_decision_is_published_with_the_shares_of_all_who_answered(project: _Project) -> None:
    project.log("p1", vote("a", row_id(1), "complaint"), vote("b", row_id(2), "question"))
    project.log("p2", vote("a", row_id(1), "question"), vote("b", row_id(2), "complaint"))
    project.log("p3", decision("d", 1, "complaint", why="ambiguous", comment="both", guide="g"))
    manifest = project.publish()
    [found] = project.read().values()
    assert (found.id, found.label, found.why, found.person) == (
        row_id(1),
        "complaint",
        "ambiguous",
        "p3",
    )
    assert found.shares == {"complaint": pytest.approx(2 / 3), "question": pytest.approx(1 / 3)}
    assert (found.comment, found.guide) == ("both", "g")
    assert found.time == "2026-12-01T09:00:00.000Z"
    assert (manifest["adjudicated"], manifest["disputed"]) == (1, 1)


def test_agreement_is_measured_on_the_votes_before_adjudication(project: _Project) -> None:
    for person, label in (("p1", "complaint"), ("p2", "question")):
        same = [vote(f"s{n}", row_id(n), LABELS[n % 2]) for n in range(8)]
        project.log(person, *same, vote("x", row_id(9), label))
    before = project.publish()
    project.log("p3", decision("d", 9, "complaint"))
    after = project.publish()
    figures = ("rows", "votes", "people", "double_rows", "alpha", "interval")
    assert {name: after[name] for name in figures} == {name: before[name] for name in figures}
    assert after["sha256"] == before["sha256"]
    assert (before["disputed"], after["disputed"]) == (1, 0)


def test_an_adjudicators_own_vote_counts_once_in_the_shares(project: _Project) -> None:
    project.log("p1", vote("a", row_id(1), "question"))
    project.log("p3", vote("a", row_id(1), "question"), decision("d", 1, "complaint"))
    project.publish()
    assert project.read()[row_id(1)].shares == {"complaint": 0.5, "question": 0.5}


def test_of_two_adjudicators_the_later_one_decides_and_an_undo_leaves_the_earlier(
    project: _Project,
) -> None:
    project.roles["p2"] = "adjudicator"
    project.log("p3", decision("d", 1, "complaint"), at=10)
    project.log("p2", decision("d", 1, "question"), at=20)
    project.publish()
    assert project.read()[row_id(1)].label == "question"
    project.log("p2", {"uid": "u", "event": "undo", "row": row_id(1), "undoes": "d"}, at=30)
    project.publish()
    assert (project.read()[row_id(1)].label, project.read()[row_id(1)].person) == (
        "complaint",
        "p3",
    )
    project.log("p3", {"uid": "u", "event": "undo", "row": row_id(1), "undoes": "d"}, at=40)
    project.publish()
    assert not (project.root / "annotations" / FILE).exists()


@pytest.mark.parametrize(
    ("project", "event", "label", "shares"),
    [
        (
            ("multi_label", ("angry", "sad", "glad")),
            decision("d", 1, "sad", "angry"),
            "angry|sad",
            {"angry": 1.0, "sad": 0.5, "glad": 0.5},
        ),
        (
            ("multi_label", ("angry", "sad", "glad")),
            decision("d", 1),
            "",
            {"angry": 0.5, "glad": 0.5},
        ),
        (("regression", ("stars",)), decision("d", 1, number=4), "4.0", {}),
    ],
    indirect=["project"],
    ids=["several labels", "none of several", "a number"],
)
def test_every_kind_of_decision_comes_to_label_as_it_was_made(
    project: _Project, event: dict[str, Any], label: str, shares: dict[str, float]
) -> None:
    answer = {"number": 2} if project.problem == "regression" else {}
    labels = () if answer else ("angry", "glad")
    project.log("p1", vote("a", row_id(1), *labels, **answer))
    project.log("p3", event)
    project.publish()
    found = project.read()[row_id(1)]
    assert (found.label, found.shares) == (label, shares)


def test_equal_decisions_give_equal_bytes(project: _Project) -> None:
    project.log("p1", *(vote(f"v{n}", row_id(n), "question") for n in range(9)))
    project.log("p3", *(decision(f"d{n}", n, "complaint") for n in reversed(range(9))))
    project.publish()
    before = sha256_file(project.root / "annotations" / FILE)
    project.publish()
    assert sha256_file(project.root / "annotations" / FILE) == before


def test_a_decision_outlives_a_renamed_source_a_lost_role_and_names_what_is_left_out(
    project: _Project,
) -> None:
    sha = project.rows.row(7).text_sha
    project.log("p3", decision("d", 999, "complaint"), sha=sha)
    project.log("p3", decision("e", 998, "complaint"), decision("f", 3, "an old label"))
    project.roles["p3"] = "annotator"
    manifest = project.publish()
    assert manifest["left_out"] == {NO_LABEL: 1, NO_ROW: 1}
    assert [*project.read()] == [project.rows.row(7).id]
