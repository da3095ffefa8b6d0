"""The API of the first screen, over a real store: the queue is closed until enough gold items are right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.gold_items import GoldItem
from pipeline.annotation.label_page import label_page
from pipeline.annotation.people import invited, named
from pipeline.annotation.publishing import publication
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import Store
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id

GUIDE = "## complaint\n\nSomething went wrong.\n\n## question\n\nThe writer asks.\n"
ASKED = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
PEOPLE, TOKENS = invited((), named("ann,bob"))
GOLD = (
    *(GoldItem(id=row_id(n), label=LABELS[n % 2], why=f"reason {n}") for n in range(10)),
    GoldItem(id=row_id(999), label="question"),  # in the data no more
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    root = make_project(tmp_path_factory.mktemp("rows"), [f"text {n}" for n in range(40)])
    write_rows(root / "rows.arrow", [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(root / "rows.arrow")


@pytest.fixture
def store(tmp_path: Path, rows: RowFile) -> Iterator[Store]:
    (tmp_path / "guide.md").write_text(GUIDE, encoding="utf-8")
    found = _open(tmp_path, rows, GOLD)
    yield found
    found.close()


def _open(folder: Path, rows: RowFile, gold: tuple[GoldItem, ...]) -> Store:
    return Store(
        folder / PRODUCT,
        rows=rows,
        people=PEOPLE,
        assignment=ASKED,
        double_share=0.0,
        what="",
        guide_file=folder / "guide.md",
        gold=gold,
    )


@pytest.fixture
def ann(store: Store) -> TestClient:
    return _client(store, "ann")


def _client(store: Store, name: str) -> TestClient:
    found = TestClient(label_page(store, PEOPLE), base_url="http://127.0.0.1:8300")
    found.headers["authorization"] = f"Bearer {TOKENS[name]}"
    return found


def _answer(client: TestClient, row: str, *, right: bool, uid: str = "") -> Any:
    label = LABELS[int(row, 16) % 2 if right else 1 - int(row, 16) % 2]
    given = {"uid": uid or f"{row}-{right}", "row": row, "labels": [label], "seconds": 1.5}
    answer = client.post("/api/start", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_queue_opens_once_eight_of_ten_are_right(ann: TestClient, store: Store) -> None:
    items = ann.get("/api/start").json()["items"]
    assert len(items) == 10
    assert all(item["answer"] is None and "gold" not in item for item in items)
    for number, item in enumerate(items):
        assert ann.get("/api/next").json()["rows"] == []
        told = _answer(ann, item["row"], right=number < 7)
    assert told["standing"] == {
        "items": 10,
        "answered": 10,
        "right": 7,
        "right_at_first": 7,
        "needed": 8,
        "passed": False,
    }
    assert ann.get("/api/me").json()["start"]["passed"] is False
    assert _answer(ann, items[9]["row"], right=True)["standing"]["passed"]
    assert len(ann.get("/api/next?n=40").json()["rows"]) == 30  # gold items are not among them
    assert _client(store, "bob").get("/api/next").json()["rows"] == []


def test_after_an_answer_the_right_one_the_reason_and_the_rule_are_told(ann: TestClient) -> None:
    row = ann.get("/api/start").json()["items"][0]["row"]
    told = _answer(ann, row, right=False)["items"][0]
    assert told["answer"]["right"] is False
    assert told["gold"]["why"] == f"reason {int(row, 16)}"
    (rule,) = told["rules"]
    assert rule["label"] == told["gold"]["labels"][0]
    assert rule["text"].startswith(f"## {rule['label']}")


def test_answers_outlive_the_server_and_are_never_published(tmp_path: Path, rows: RowFile) -> None:
    store = _open(tmp_path, rows, GOLD)
    client = _client(store, "ann")
    row = client.get("/api/start").json()["items"][0]["row"]
    for _ in range(2):
        _answer(client, row, right=True, uid="u")
    store.close()
    found = publication(tmp_path / PRODUCT, rows=rows, people=PEOPLE, assignment=ASKED, seed=1)
    assert found.as_json()["votes"] == 0
    again = _open(tmp_path, rows, GOLD)
    standing = _client(again, "ann").get("/api/start").json()["standing"]
    again.close()
    assert (standing["answered"], standing["right"]) == (1, 1)


@pytest.mark.parametrize(
    "given",
    [[], {}, {"uid": "x", "row": row_id(20), "labels": ["question"]}, {"uid": "x", "row": [1]},
     {"uid": "x", "row": row_id(1), "labels": ["praise"]}, {"uid": "x", "row": row_id(1)}],
    ids=["a list", "nothing", "a row that is no item", "no row", "another label", "no answer"],
)  # fmt: skip
def test_what_is_no_answer_to_an_item_is_refused(ann: TestClient, given: Any) -> None:
    answer = ann.post("/api/start", json=given)
    assert answer.status_code == 422
    assert {*answer.json()["error"]} == {"got", "expected", "next_step"}


def test_without_gold_items_nobody_is_sent_there(tmp_path: Path, rows: RowFile) -> None:
    store = _open(tmp_path, rows, ())
    client = _client(store, "ann")
    assert client.get("/api/me").json()["start"] is None
    assert client.get("/api/start").json() == {"items": [], "standing": None}
    assert len(client.get("/api/next").json()["rows"]) == 20
    store.close()
