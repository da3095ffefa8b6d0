"""A second opinion on the model's mistakes over the API: asked for, given blind, counted, taken back, kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.label_page import label_page
from pipeline.annotation.people import invited
from pipeline.annotation.row_file import RowFile, row_file
from pipeline.annotation.store import Store
from pipeline.core.paths import Paths
from tests.support.answered_rows import AnsweredRow, write_answered
from tests.support.labelling import LABELS, PRODUCT, make_project, post, vote

COMPLAINT, QUESTION = LABELS
MISTAKE = AnsweredRow(number=11, label=COMPLAINT, answer=QUESTION, text="Where is my parcel?")
LESS_SURE = AnsweredRow(number=12, label=QUESTION, answer=COMPLAINT, confidence=0.6, source="web")
RIGHT = AnsweredRow(number=13, label=COMPLAINT, answer=COMPLAINT)
TEST = AnsweredRow(number=14, label=COMPLAINT, answer=QUESTION, split="test")
PEOPLE = {"lee": "lead", "ann": None, "bob": None}


class Server:
    """The application over a store, opened again as after a restart."""

    def __init__(self, root: Path, people: dict[str, Any] | None = None) -> None:
        self._root, self._people = root, people or PEOPLE
        self.open()

    def open(self) -> None:
        folder = self._root / ".modelyard" / "annotation" / PRODUCT
        people, tokens = invited((), self._people)
        self.store = Store(
            folder,
            rows=RowFile(row_file(Paths(self._root), folder)),
            people=people,
            assignment=Assignment(product=PRODUCT, problem="classification", labels=LABELS),
            double_share=0.0,
            what="a test",
        )
        app = label_page(self.store, people)
        self.clients = {
            name: TestClient(
                app, base_url="http://localhost", headers={"authorization": f"Bearer {token}"}
            )
            for name, token in tokens.items()
        }

    def restart(self) -> None:
        self.store.close()
        self.open()

    def ask(self, row: AnsweredRow, *, uid: str = "u", who: str = "lee", path: str = "ask") -> Any:
        return self.clients[who].post(f"/api/mistakes/{path}", json={"row": row.id, "uid": uid})

    def mistakes(self, **asked: Any) -> Any:
        return self.clients["lee"].get("/api/mistakes", params=asked).raise_for_status().json()

    def next(self, who: str) -> list[tuple[str, str]]:
        rows = self.clients[who].get("/api/next").raise_for_status().json()["rows"]
        return [(row["row"], row["why"]) for row in rows]

    def vote(self, who: str, row: AnsweredRow, label: str, why: str) -> str:
        uid = f"{who}-{row.id}-{label}"
        post(self.clients[who], vote(uid, row.id, label, why=why))
        return uid


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    make_project(tmp_path, ["a text without a label"])
    write_answered(tmp_path, [MISTAKE, LESS_SURE, RIGHT, TEST])
    server = Server(tmp_path)
    yield server
    server.store.close()


def test_the_surest_mistakes_come_first_with_their_texts_and_filters(server: Server) -> None:
    found = server.mistakes()
    assert [(row["row"], row["text"]) for row in found["rows"]] == [
        (MISTAKE.id, MISTAKE.text),
        (LESS_SURE.id, LESS_SURE.text),
    ]
    assert (found["mistakes"], found["validation"]) == (2, 3)
    assert {source["name"] for source in found["filters"]["sources"]} == {"mail", "web"}
    assert [row["row"] for row in server.mistakes(source="web")["rows"]] == [LESS_SURE.id]
    assert [row["row"] for row in server.mistakes(least=80)["rows"]] == [MISTAKE.id]
    assert [row["row"] for row in server.mistakes(**{"from": 1})["rows"]] == [LESS_SURE.id]


def test_a_mistake_goes_to_others_with_a_control_and_nobody_sees_which_is_which(
    server: Server,
) -> None:
    said = server.ask(MISTAKE).json()
    assert (said["asked"], said["waiting"]) == (True, 2)
    assert {why for _, why in server.next("lee")} == {"random"}  # who asked is not blind
    given = server.next("ann")
    assert dict(given[:2]) == {MISTAKE.id: "error", RIGHT.id: "control"}
    assert {MISTAKE.id, RIGHT.id}.isdisjoint(dict(server.next("bob")))
    rows = server.clients["ann"].get("/api/next").json()["rows"]
    assert all(row.keys() == rows[-1].keys() for row in rows)


def test_opinions_are_counted_and_the_row_is_done(server: Server) -> None:
    server.ask(MISTAKE)
    server.next("ann")
    server.vote("ann", MISTAKE, QUESTION, "error")
    server.vote("ann", RIGHT, COMPLAINT, "control")
    found = server.mistakes()
    assert found["opinions"] == {
        "error": {"sent": 1, "answered": 1, "differ": 1},
        "control": {"sent": 1, "answered": 1, "differ": 0},
    }
    assert (found["rows"][0]["asked"], found["rows"][0]["opinion"]) == (True, QUESTION)
    assert server.next("bob") == []  # ann has the only row without a label


def test_what_was_sent_and_answered_outlives_the_server(server: Server) -> None:
    server.ask(MISTAKE)
    server.next("ann")
    uid = server.vote("ann", MISTAKE, QUESTION, "error")
    before = server.mistakes()
    server.restart()
    assert server.mistakes() == before
    assert dict(server.next("bob"))[RIGHT.id] == "control"
    post(server.clients["ann"], {"uid": "back", "event": "undo", "row": MISTAKE.id, "undoes": uid})
    assert (MISTAKE.id, "error") in server.next("ann")


def test_sending_twice_sends_once_and_it_can_be_taken_back(server: Server) -> None:
    for uid in ("u", "u", "another"):
        assert server.ask(MISTAKE, uid=uid).json()["waiting"] == 2
    said = server.ask(MISTAKE, uid="back", path="forget").json()
    assert (said["asked"], said["waiting"]) == (False, 0)
    assert {why for _, why in server.next("ann")} == {"random"}
    assert server.ask(MISTAKE, uid="again").json()["waiting"] == 2


def test_a_person_who_labels_alone_is_asked_too(tmp_path: Path) -> None:
    make_project(tmp_path, [])
    write_answered(tmp_path, [MISTAKE, RIGHT])
    server = Server(tmp_path, {"me": "lead"})
    server.clients["lee"] = server.clients["me"]
    server.ask(MISTAKE)
    assert dict(server.next("me")) == {MISTAKE.id: "error", RIGHT.id: "control"}
    server.store.close()


@pytest.mark.parametrize("path", ["ask", "forget", ""], ids=["ask", "forget", "look"])
def test_annotators_are_refused(server: Server, path: str) -> None:
    client = server.clients["ann"]
    answer = (
        client.post(f"/api/mistakes/{path}", json={"row": MISTAKE.id, "uid": "u"})
        if path
        else client.get("/api/mistakes")
    )
    assert answer.status_code == 403
    assert "adjudicator" in answer.json()["error"]["expected"]
    said = post(client, {"uid": "q", "event": "queue", "row": MISTAKE.id, "why": "error"})
    assert "annotator" in said[0]["refused"]["got"]


@pytest.mark.parametrize(
    "row", [TEST, RIGHT, AnsweredRow(number=99, label="", answer="")], ids=["test", "right", "none"]
)
def test_only_mistakes_on_validation_rows_can_be_sent(server: Server, row: AnsweredRow) -> None:
    answer = server.ask(row)
    assert answer.status_code == 422
    assert "validation row" in answer.json()["error"]["expected"]


def test_before_a_model_has_passed_there_is_nothing(tmp_path: Path) -> None:
    make_project(tmp_path, ["a text"])
    server = Server(tmp_path)
    assert server.mistakes()["built"] is False
    server.store.close()


def test_a_build_while_the_server_runs_is_seen(server: Server, tmp_path: Path) -> None:
    server.mistakes()
    write_answered(tmp_path, [RIGHT])
    assert server.mistakes()["mistakes"] == 0
