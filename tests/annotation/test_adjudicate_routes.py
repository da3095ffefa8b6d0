"""The API under the screen of disputes, over a real store: who may ask, and what nobody is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.label_page import label_page
from pipeline.annotation.people import invited, named
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import Store
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

PEOPLE = "ann,bob,cho:adjudicator,dan:lead"
Clients = dict[str, TestClient]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    root = make_project(tmp_path_factory.mktemp("rows"), [f"text {n}" for n in range(150)])
    write_rows(root / "rows.arrow", [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(root / "rows.arrow")


@contextmanager
def opened(folder: Path, rows: RowFile) -> Iterator[Clients]:
    """Clients that act for the people, over a store in the folder; people and their links stay from one to the next."""
    people, tokens = invited((), named(PEOPLE))
    asked = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
    store = Store(folder, rows=rows, people=people, assignment=asked, double_share=1.0, what="")
    app = label_page(store, people)
    clients = {}
    for name, token in tokens.items():
        clients[name] = TestClient(app, base_url="http://127.0.0.1:8300")
        clients[name].headers["authorization"] = f"Bearer {token}"
    yield clients
    store.close()


@pytest.fixture
def clients(tmp_path: Path, rows: RowFile) -> Iterator[Clients]:
    with opened(tmp_path / "letters", rows) as found:
        yield found


def sent(client: TestClient, *events: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = client.post("/api/events", json=[*events]).json()["events"]
    return said


def differ(clients: Clients, *rows: int) -> None:
    """Ann and bob say different things about the rows."""
    for name, label in zip(("ann", "bob"), LABELS, strict=True):
        sent(clients[name], *(vote(f"{name}{row}", row_id(row), label) for row in rows))


def decision(uid: str, row: int, label: str = "complaint", **more: Any) -> dict[str, Any]:
    return vote(uid, row_id(row), label, why="slip", **more) | {"event": "adjudicate"}


def disputes(client: TestClient, query: str = "") -> Any:
    return client.get(f"/api/disputes{query}").json()


def test_a_dispute_is_shown_with_its_votes_and_nobodys_name(clients: Clients) -> None:
    differ(clients, 3)
    sent(clients["bob"], {"uid": "c", "event": "comment", "row": row_id(3), "comment": "it asks"})
    told = disputes(clients["cho"])
    [dispute] = told["disputes"]
    assert (dispute["row"], dispute["text"], dispute["second"]) == (row_id(3), "text 3", None)
    assert sorted(dispute["labels"]) == [*LABELS]
    assert [each["name"] for each in dispute["votes"]] == ["A", "B"]
    assert {(*each["labels"], each["comment"]) for each in dispute["votes"]} == {
        ("complaint", ""),
        ("question", "it asks"),
    }
    assert told["counts"] == {"open": 1, "adjudicated": 0}
    said = clients["cho"].get("/api/disputes").text
    assert not any(name in said for name in ("ann", "bob", "p1", "p2", "time", "seconds"))


@pytest.mark.parametrize("path", ["/api/disputes", "/api/adjudications"])
def test_disputes_are_for_adjudicators_and_leads(clients: Clients, path: str) -> None:
    assert [clients[name].get(path).status_code for name in clients] == [403, 403, 200, 200]
    error = clients["ann"].get(path).json()["error"]
    assert {*error} == {"got", "expected", "next_step"}
    assert "ann:adjudicator" in error["next_step"]
    assert clients["ann"].get(path, headers={"authorization": ""}).status_code == 401


def test_an_annotator_decides_nothing(clients: Clients) -> None:
    differ(clients, 3)
    [said] = sent(clients["ann"], decision("d", 3))
    assert said["refused"]["got"] == "adjudicate by an annotator"
    assert disputes(clients["cho"])["counts"] == {"open": 1, "adjudicated": 0}


@pytest.mark.parametrize("cause", [None, "", "random", "Slip"], ids=repr)
def test_a_decision_says_why_people_differ(clients: Clients, cause: str | None) -> None:
    [said] = sent(clients["cho"], decision("d", 3) | {"why": cause})
    assert "slip, guide, ambiguous" in said["refused"]["expected"]


def test_decisions_are_listed_undone_and_open_the_dispute_again(clients: Clients) -> None:
    differ(clients, 3, 4, 5)
    sent(clients["cho"], *(decision(f"d{row}", row, comment=f"no. {row}") for row in (3, 4, 5)))
    first = clients["cho"].get("/api/adjudications?n=2").json()
    assert [each["uid"] for each in first["adjudications"]] == ["d5", "d4"]
    assert first["more"]
    newest = first["adjudications"][0]
    assert (newest["labels"], newest["why"], newest["comment"]) == (["complaint"], "slip", "no. 5")
    assert newest["dispute"]["text"] == "text 5"
    assert len(newest["dispute"]["votes"]) == 2
    older = clients["cho"].get(f"/api/adjudications?before={first['adjudications'][1]['seq']}")
    assert [each["uid"] for each in older.json()["adjudications"]] == ["d3"]
    assert clients["dan"].get("/api/adjudications").json()["adjudications"] == []
    sent(clients["cho"], {"uid": "u", "event": "undo", "row": row_id(4), "undoes": "d4"})
    told = disputes(clients["cho"])
    assert [each["row"] for each in told["disputes"]] == [row_id(4)]
    assert told["counts"] == {"open": 1, "adjudicated": 2}


def test_a_decision_is_no_vote_of_the_adjudicator(clients: Clients) -> None:
    differ(clients, 3)
    sent(clients["cho"], vote("own", row_id(3), "question"))
    assert len(disputes(clients["cho"])["disputes"][0]["votes"]) == 3
    sent(clients["cho"], decision("d", 3))
    assert clients["cho"].get("/api/me").json()["counts"]["answered"] == 1
    answers = clients["cho"].get("/api/history").json()["answers"]
    assert [each["uid"] for each in answers] == ["own"]
    sent(clients["cho"], {"uid": "u", "event": "undo", "row": row_id(3), "undoes": "own"})
    assert disputes(clients["cho"])["counts"] == {"open": 0, "adjudicated": 1}


def test_a_row_that_is_no_longer_in_the_data_is_no_dispute(clients: Clients) -> None:
    differ(clients, 3, 999)
    told = disputes(clients["cho"])
    assert [each["row"] for each in told["disputes"]] == [row_id(3)]
    assert told["counts"]["open"] == 1


def test_a_restarted_server_knows_what_is_decided(tmp_path: Path, rows: RowFile) -> None:
    with opened(tmp_path, rows) as before:
        differ(before, *range(20))
        sent(before["cho"], *(decision(f"d{row}", row) for row in range(0, 20, 2)))
    with opened(tmp_path, rows) as after:
        told = disputes(after["dan"], "?n=100")
        assert told["counts"] == {"open": 10, "adjudicated": 10}
        assert [each["row"] for each in told["disputes"]] == [row_id(n) for n in range(1, 20, 2)]


@pytest.mark.parametrize("query", ["?n=101", "?n=-1", "?n=x"])
def test_a_count_that_is_none_is_refused(clients: Clients, query: str) -> None:
    assert clients["cho"].get(f"/api/disputes{query}").status_code == 422
