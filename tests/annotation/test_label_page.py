"""The API under the annotation page, over a real store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.door import MAX_BODY_BYTES
from pipeline.annotation.label_page import MOST_EVENTS, label_page
from pipeline.annotation.people import invited, named
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.store import Store
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

ODD = "<script>alert(1)</script> \u202eright to left\u202c e\u0301 \u1112\u1161\u11ab"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    texts = [ODD, *(f"text {number}" for number in range(1, 150))]
    root = make_project(tmp_path_factory.mktemp("rows"), texts)
    path = root / "rows.arrow"
    write_rows(path, [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(path)


@pytest.fixture
def client(tmp_path: Path, rows: RowFile) -> Iterator[TestClient]:
    """A client that acts for ann."""
    people, tokens = invited((), named("ann,bob"))
    asked = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
    (tmp_path / "guide.md").write_text("# Rules\n\nBe fair.", encoding="utf-8")
    store = Store(
        tmp_path / "letters",
        rows=rows,
        people=people,
        assignment=asked,
        double_share=0.0,
        what="",
        guide_file=tmp_path / "guide.md",
    )
    found = TestClient(label_page(store, people), base_url="http://127.0.0.1:8300")
    found.headers["authorization"] = f"Bearer {tokens['ann']}"
    yield found
    store.close()


def test_me_says_who_asks_and_what_is_asked(client: TestClient) -> None:
    me = client.get("/api/me").json()
    assert (me["person"], me["published"], me["role"]) == ("ann", "p1", "annotator")
    assert me["labels"] == [
        {"name": "complaint", "key": "1", "code": "Digit1"},
        {"name": "question", "key": "2", "code": "Digit2"},
    ]
    assert me["counts"] == {"answered": 0, "queue": 150, "labelled": 0}
    assert me["guide"]["text"].startswith("# Rules")
    assert len(me["guide"]["hash"]) == 64


def test_next_gives_rows_as_they_are_with_the_persons_own_notes(client: TestClient) -> None:
    client.post(
        "/api/events",
        json=[
            {"uid": "f", "event": "flag", "row": row_id(0)},
            {"uid": "c", "event": "comment", "row": row_id(0), "comment": "odd"},
        ],
    )
    first = client.get("/api/next?n=1").json()["rows"][0]
    assert first == {
        "row": row_id(0),
        "text": ODD,
        "second": None,
        "why": "random",
        "flag": "f",
        "comment": "odd",
    }
    assert len(client.get("/api/next").json()["rows"]) == 20


def test_history_goes_back_in_pages_and_has_each_answer_that_stands(client: TestClient) -> None:
    events: list[dict[str, Any]] = [vote(f"u{n}", row_id(n), "complaint") for n in range(5)]
    events += [vote("again", row_id(1), "question")]
    events += [{"uid": "z", "event": "undo", "row": row_id(3), "undoes": "u3"}]
    client.post("/api/events", json=events)
    first = client.get("/api/history?n=3").json()
    assert [answer["uid"] for answer in first["answers"]] == ["again", "u4", "u2"]
    assert first["more"]
    assert first["answers"][0]["text"] == "text 1"
    older = client.get(f"/api/history?n=3&before={first['answers'][-1]['seq']}").json()
    assert [answer["uid"] for answer in older["answers"]] == ["u1", "u0"]
    assert not older["more"]


def test_an_answer_says_what_each_event_became(client: TestClient) -> None:
    sent = [vote("a", row_id(1), "complaint"), vote("b", row_id(2), "praise")]
    told = client.post("/api/events", json=sent).json()
    assert told["events"][0] == {"uid": "a", "seq": 1}
    assert {*told["events"][1]["refused"]} == {"got", "expected", "next_step"}
    assert told["counts"] == {"answered": 1, "queue": 149, "labelled": 1}
    assert client.post("/api/events", json=sent[:1]).json()["events"] == [{"uid": "a", "seq": 1}]


@pytest.mark.parametrize(
    "path", ["/api/me", "/api/next", "/api/history", "/api/events"], ids=lambda path: path[5:]
)
@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic YTpi"], ids=repr)
def test_the_api_is_for_those_with_a_link(client: TestClient, path: str, given: str) -> None:
    method = "POST" if path.endswith("events") else "GET"
    answer = client.request(method, path, headers={"authorization": given}, json=[])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "modelyard annotate" in answer.json()["error"]["next_step"]


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "another type": ({"content": b"[]", "headers": {"content-type": "text/plain"}}, 415),
    "no JSON": ({"content": b"[", "headers": {"content-type": "application/json"}}, 400),
    "another encoding": (
        {"content": '["é"]'.encode("utf-16"), "headers": {"content-type": "application/json"}},
        400,
    ),
    "no list": ({"json": {"uid": "a"}}, 422),
    "too many events": ({"json": [{}] * (MOST_EVENTS + 1)}, 422),
    "a large body": ({"json": ["x" * MAX_BODY_BYTES]}, 413),
}


@pytest.mark.parametrize(("request_", "status"), BAD.values(), ids=BAD)
def test_a_body_that_is_no_list_of_events_is_refused_with_a_reason(
    client: TestClient, request_: dict[str, Any], status: int
) -> None:
    answer = client.post("/api/events", **request_)
    assert answer.status_code == status
    assert {*answer.json()["error"]} == {"got", "expected", "next_step"}


@pytest.mark.parametrize("query", ["n=-1", "n=101", "n=x", "n=1e9", "n=99999999999999999999"])
def test_a_count_that_is_none_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/next?{query}").status_code == 422


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8300", 200), ("localhost", 200), ("[::1]:8300", 200), ("evil.example", 421)],
)
def test_a_foreign_host_header_is_refused(client: TestClient, host: str, status: int) -> None:
    for path in ("/", "/api/me", "/static/page.js"):
        assert client.get(path, headers={"host": host}).status_code == status


def test_the_page_allows_no_script_but_its_own_and_is_never_stale(client: TestClient) -> None:
    for path in ("/", "/offline.js", "/static/page.js", "/static/page.css", "/api/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in ("no-cache", "no-store")
    html = client.get("/").text
    assert "style=" not in html
    assert "<script>" not in html


def test_an_unknown_address_says_which_there_are(client: TestClient) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert "/api/events" in answer.json()["error"]["expected"]
