"""The API of the guide, over a real store: who may edit, what an edit offers again, and what comes back to whom."""

from collections.abc import Iterator
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

GUIDE = "## complaint\n\nSomething went wrong.\n\n## question\n\nThe writer asks.\n"
LATE_BUS = GUIDE.replace("wrong.", "wrong. A late bus is a complaint, too.")
TEXTS = [
    "The bus was late again.",
    "Is a late bus free of charge?",
    "The bin is full.",
    "Nobody answers.",
    "And who pays for it?",
    "When do you open?",
    *(f"text {number}" for number in range(6, 40)),
]
Client = dict[str, TestClient]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    root = make_project(tmp_path_factory.mktemp("rows"), TEXTS)
    write_rows(root / "rows.arrow", [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(root / "rows.arrow")


class Town:
    """A server's application over the rows, which may be opened again, and a client a person."""

    def __init__(self, folder: Path, rows: RowFile) -> None:
        self.folder, self.rows = folder, rows
        self.people, self.tokens = invited((), named("ann,bob,lee:lead"))
        self.open()

    def open(self) -> None:
        asked = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
        self.store = Store(
            self.folder / PRODUCT,
            rows=self.rows,
            people=self.people,
            assignment=asked,
            double_share=1.0,
            what="",
            guide_file=self.folder / "guide.md",
        )
        self.app = label_page(self.store, self.people)

    def client(self, name: str) -> TestClient:
        found = TestClient(self.app, base_url="http://127.0.0.1:8300")
        found.headers["authorization"] = f"Bearer {self.tokens[name]}"
        return found

    def get(self, name: str, path: str) -> Any:
        answer = self.client(name).get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, name: str, path: str, value: Any, status: int = 200) -> Any:
        answer = self.client(name).post(path, json=value)
        assert answer.status_code == status, answer.text
        return answer.json()

    def vote(self, name: str, *answers: tuple[int, str]) -> None:
        digest = self.store.guide.hash
        events = [
            vote(f"{name}-{row}-{label}", row_id(row), label, guide=digest)
            for row, label in answers
        ]
        self.post(name, "/api/events", events)

    def save(self, text: str, why: str = "so", status: int = 200) -> Any:
        given = {"text": text, "base": self.store.guide.hash, "why": why}
        return self.post("lee", "/api/guide", given, status)

    def offered(self, name: str) -> list[int]:
        rows = self.get(name, "/api/next?n=100")["rows"]
        return [int(row["row"], 16) for row in rows if row["why"] == "guide"]


@pytest.fixture
def town(tmp_path: Path, rows: RowFile) -> Iterator[Town]:
    (tmp_path / "guide.md").write_text(GUIDE, encoding="utf-8")
    found = Town(tmp_path, rows)
    yield found
    found.store.close()


def _voted(town: Town) -> None:
    """Votes on six rows: two of late buses, one flagged, one in dispute."""
    town.vote("ann", (0, "complaint"), (1, "question"), (2, "complaint"), (3, "complaint"))
    town.vote("ann", (4, "complaint"), (5, "question"))
    town.vote("bob", (4, "question"), (2, "complaint"))
    town.post("ann", "/api/events", [{"uid": "f", "event": "flag", "row": row_id(3)}])


def test_an_edit_offers_exactly_the_votes_near_it_to_the_people_who_gave_them(town: Town) -> None:
    _voted(town)
    saved = town.save(LATE_BUS)
    assert saved["labels"] == ["complaint"]
    assert saved["votes"] == {"old": 6, "near": 4, "offered": 0, "unanswered": 0}
    assert town.offered("ann") == []
    told = town.post("lee", "/api/guide/offers", {"version": saved["version"]["hash"]})
    assert told["votes"] == {"old": 6, "near": 4, "offered": 4, "unanswered": 4}
    assert town.offered("ann") == [3, 4, 0, 1]
    assert town.offered("bob") == town.offered("lee") == []
    first = town.get("ann", "/api/next?n=1")["rows"][0]
    assert first["earlier"] == {"uid": "ann-3-complaint", "labels": ["complaint"], "number": None}
    assert first["flag"] == "f"


def test_an_answer_ends_an_offer_an_undo_brings_it_back_and_a_restart_changes_nothing(
    town: Town,
) -> None:
    _voted(town)
    version = town.save(LATE_BUS)["version"]["hash"]
    town.post("lee", "/api/guide/offers", {"version": version})
    town.post("ann", "/api/events", [vote("keep", row_id(3), "complaint", why="guide")])
    town.post("ann", "/api/events", [vote("other", row_id(0), "question", why="guide")])
    assert town.offered("ann") == [4, 1]
    undo = {"uid": "z", "event": "undo", "row": row_id(0), "undoes": "other"}
    town.post("ann", "/api/events", [undo])
    town.store.close()
    town.open()
    assert town.offered("ann") == [4, 0, 1]
    found = town.get("lee", f"/api/guide/version?hash={version}")
    assert (found["votes"]["offered"], found["votes"]["unanswered"]) == (4, 3)
    assert town.get("ann", "/api/me")["counts"]["answered"] == 6


def test_the_same_votes_are_not_offered_twice(town: Town) -> None:
    _voted(town)
    version = town.save(LATE_BUS)["version"]["hash"]
    assert town.post("lee", "/api/guide/offers", {"version": version})["added"] == 4
    assert town.post("lee", "/api/guide/offers", {"version": version})["added"] == 0
    assert len(town.offered("ann")) == 4


def test_the_guide_is_read_by_all_with_its_versions_and_published_names_stay_on_the_disk(
    town: Town,
) -> None:
    town.save(LATE_BUS, why="buses")
    found = town.get("ann", "/api/guide")
    assert (found["text"], found["may_edit"], found["unseen"]) == (LATE_BUS, False, None)
    assert [(v["who"], v["why"]) for v in found["versions"]] == [
        ("lee", "buses"),
        (None, "guide.md was edited"),
    ]
    version = town.get("bob", f"/api/guide/version?hash={found['hash']}")
    assert "votes" not in version
    assert ["added", "Something went wrong. A late bus is a complaint, too."] in version["diff"]
    assert town.store.guide.versions[-1].who == "p3"


def test_me_and_events_name_the_newest_guide(town: Town) -> None:
    before = town.get("ann", "/api/me")["guide"]["hash"]
    town.save(LATE_BUS)
    after = town.get("ann", "/api/me")["guide"]
    assert after["text"] == LATE_BUS
    assert before != after["hash"]
    assert town.post("ann", "/api/events", [])["guide"] == after["hash"]
    assert town.get("ann", "/api/next")["guide"] == after["hash"]


def test_an_edit_by_hand_is_seen_without_a_restart_and_hides_no_other_edit(town: Town) -> None:
    hidden = town.save(LATE_BUS)["version"]["hash"]
    (town.folder / "guide.md").write_text(f"{GUIDE}By hand.\n", encoding="utf-8")
    found = town.get("ann", "/api/guide")
    assert found["text"] == f"{GUIDE}By hand.\n"
    assert found["unseen"] == hidden


@pytest.mark.parametrize(
    "path", ["/api/guide", "/api/guide/diff", "/api/guide/examples", "/api/guide/offers"]
)
def test_an_annotator_changes_nothing(town: Town, path: str) -> None:
    error = town.post("ann", path, {}, 403)["error"]
    assert {*error} == {"got", "expected", "next_step"}
    assert "lead" in error["expected"]


@pytest.mark.parametrize("path", ["/api/guide", "/api/guide/version"])
def test_the_guide_is_for_those_with_a_link(town: Town, path: str) -> None:
    assert TestClient(town.app, base_url="http://127.0.0.1:8300").get(path).status_code == 401


def test_of_two_edits_at_once_the_second_is_refused_with_both_shown(town: Town) -> None:
    base = town.store.guide.hash
    town.save(LATE_BUS, why="buses")
    mine = {"text": f"{GUIDE}Mine.\n", "base": base, "why": "mine"}
    told = town.post("lee", "/api/guide", mine, 409)
    assert {*told["error"]} == {"got", "expected", "next_step"}
    assert (told["text"], told["current"]["why"]) == (LATE_BUS, "buses")
    assert ["added", "Mine."] in told["yours"]
    assert ["added", "Something went wrong. A late bus is a complaint, too."] in told["theirs"]
    assert town.store.guide.text == LATE_BUS
    town.post("lee", "/api/guide", mine | {"base": town.store.guide.hash})
    assert town.store.guide.text == f"{GUIDE}Mine.\n"


WRONG: dict[str, tuple[str, Any]] = {
    "no reason": ("/api/guide", {"text": "x", "base": None, "why": "  "}),
    "no text": ("/api/guide", {"base": None, "why": "x"}),
    "a long text": ("/api/guide", {"text": "x" * 200_001, "base": None, "why": "x"}),
    "a base that is none": ("/api/guide", {"text": "x", "base": 3, "why": "x"}),
    "no change": ("/api/guide", {"text": GUIDE, "why": "x"}),
    "no object": ("/api/guide", []),
    "an unknown label": ("/api/guide/examples", {"row": row_id(1), "label": "x", "belongs": True}),
    "neither true nor false": (
        "/api/guide/examples",
        {"row": row_id(1), "label": "question", "belongs": 1},
    ),
    "an unknown row": (
        "/api/guide/examples",
        {"row": row_id(999), "label": "question", "belongs": True},
    ),
}


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG)
def test_what_is_no_edit_is_refused_with_a_reason(town: Town, path: str, value: Any) -> None:
    if isinstance(value, dict) and value.get("text") == GUIDE:
        value = value | {"base": town.store.guide.hash}
    error = town.post("lee", path, value, 422)["error"]
    assert {*error} == {"got", "expected", "next_step"}
    assert town.store.guide.text == GUIDE


def test_an_unknown_version_is_not_found(town: Town) -> None:
    assert town.client("lee").get("/api/guide/version?hash=../../x").status_code == 404
    town.post("lee", "/api/guide/offers", {"version": "x"}, 404)


def test_a_row_becomes_an_example_until_there_are_three(town: Town) -> None:
    for number in range(3):
        given = {"row": row_id(number), "label": "complaint", "belongs": True}
        told = town.post("lee", "/api/guide/examples", given)
    assert told["label"] == {"name": "complaint", "are": 3, "are_not": 0}
    assert "### Examples that are\n\n- The bus was late again.\n" in town.store.guide.text
    assert row_id(0) in town.store.guide.versions[1].why
    given = {"row": row_id(3), "label": "complaint", "belongs": True}
    assert "3 examples" in town.post("lee", "/api/guide/examples", given, 422)["error"]["got"]
    town.post("lee", "/api/guide/examples", given | {"belongs": False})


def test_a_diff_says_which_labels_a_text_would_change(town: Town) -> None:
    told = town.post("lee", "/api/guide/diff", {"text": LATE_BUS.replace("\n", "\r\n")})
    assert told["labels"] == ["complaint"]
    assert [kind for kind, _ in told["diff"]].count("added") == 1
    assert town.store.guide.text == GUIDE
