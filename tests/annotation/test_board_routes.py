"""The board's routes: who may ask what, rows behind figures, and one computation for many looks."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from pipeline.annotation.board_figures import Board
from pipeline.annotation.board_routes import FRESH_SECONDS, SHARE_OF_TIME, CachedBoard
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.label_page import label_page
from pipeline.annotation.people import invited, named
from pipeline.annotation.store import Store
from tests.support.answered import ASKED, row_file
from tests.support.labelling import post, row_id, vote

LED = ("/api/board", "/api/board/matrix?first=p1&second=p2", "/api/board/rows")


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[dict[str, TestClient]]:
    """Name → a client that acts for that person: lea is the lead."""
    people, tokens = invited((), named("lea:lead,bob,cho:adjudicator"))
    store = Store(
        tmp_path / "letters",
        rows=row_file(tmp_path / "data"),
        people=people,
        assignment=ASKED,
        double_share=0.0,
        what="",
        goal=LabelGoal(needed=30, low=20, high=50),
    )
    page = label_page(store, people)
    found = {name: TestClient(page, base_url="http://127.0.0.1:8300") for name in tokens}
    for name, client in found.items():
        client.headers["authorization"] = f"Bearer {tokens[name]}"
    yield found
    store.close()


def _label(clients: dict[str, TestClient]) -> None:
    for name, labels in (("lea", "complaint"), ("bob", "question")):
        events = [vote(f"{name}{n}", row_id(n), labels, seconds=2.0) for n in range(6)]
        post(clients[name], *events, vote(f"{name}x", row_id(9), "complaint", seconds=4.0))


@pytest.mark.parametrize("path", LED)
@pytest.mark.parametrize("name", ["bob", "cho"])
def test_the_board_is_the_leads(clients: dict[str, TestClient], path: str, name: str) -> None:
    answer = clients[name].get(path)
    assert answer.status_code == 403
    assert "/api/pace" in answer.json()["error"]["next_step"]
    assert clients[name].get(path, headers={"authorization": ""}).status_code == 401


def test_everybody_has_ones_own_pace_and_no_other(clients: dict[str, TestClient]) -> None:
    _label(clients)
    bob = clients["bob"].get("/api/pace").json()
    assert (bob["votes"], bob["skips"], bob["over_time"][-1]["labels"]) == (7, 0, 7)
    assert (bob["pace"]["seconds"], bob["pace"]["labels"]) == (2.0, 7)
    assert clients["cho"].get("/api/pace").json() == {
        "votes": 0,
        "skips": 0,
        "pace": None,
        "over_time": [],
    }
    board = clients["lea"].get("/api/board").json()
    assert all("seconds" not in person for person in board["people"])
    rows = clients["lea"].get("/api/board/rows").json()["rows"]
    assert "seconds" not in str(rows)


def test_a_figure_leads_to_its_rows_with_texts_and_votes(clients: dict[str, TestClient]) -> None:
    _label(clients)
    board = clients["lea"].get("/api/board").json()
    assert (board["rows"]["disputed"], board["labelled"], board["goal"]["needed"]) == (6, 7, 30)
    assert board["matrix"] == [[1, 6], [6, 0]]
    found = clients["lea"].get("/api/board/rows?kind=disputed&n=4").json()
    assert (found["total"], len(found["rows"])) == (6, 4)
    first = found["rows"][0]
    assert (first["row"], first["text"]) == (row_id(0), "text 0")
    assert [(given["person"], given["labels"]) for given in first["votes"]] == [
        ("p1", ["complaint"]),
        ("p2", ["question"]),
    ]
    rest = clients["lea"].get("/api/board/rows?kind=disputed&n=4&from=4").json()["rows"]
    assert [row["row"] for row in rest] == [row_id(4), row_id(5)]
    of_two = clients["lea"].get("/api/board/matrix?first=p2&second=p1").json()
    assert of_two == {"matrix": [[1, 0], [6, 0]]}


@pytest.mark.parametrize(
    "path",
    ["/api/board/rows?kind=odd", "/api/board/rows?n=101", "/api/board/matrix?first=p1&second=p9"],
    ids=["an unknown kind", "too many rows", "nobody"],
)
def test_what_cannot_be_asked_is_refused(clients: dict[str, TestClient], path: str) -> None:
    answer = clients["lea"].get(path)
    assert answer.status_code == 422
    assert {*answer.json()["error"]} == {"got", "expected", "next_step"}


def test_me_and_counts_say_how_many_labels_are_needed(clients: dict[str, TestClient]) -> None:
    _label(clients)
    me = clients["cho"].get("/api/me").json()
    assert me["goal"] == {"needed": 30, "low": 20, "high": 50}
    assert me["counts"] == {"answered": 0, "queue": 33, "labelled": 7}


class _Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_looks_at_one_time_are_one_computation_and_it_serves_for_some_seconds() -> None:
    clock, made = _Clock(), []

    def compute() -> Board:
        made.append(threading.current_thread().name)
        clock.now += 4.0
        return cast(Board, len(made))

    async def look() -> list[Any]:
        board = CachedBoard(compute, clock=clock)
        seen: list[Any] = [*await asyncio.gather(*(board.get() for _ in range(5)))]
        clock.now += max(FRESH_SECONDS, 4.0 * SHARE_OF_TIME) - 0.1
        seen.append(await board.get())
        clock.now += 0.2
        seen.append(await board.get())
        return seen

    assert asyncio.run(look()) == [1, 1, 1, 1, 1, 1, 2]
    assert all(name.startswith("annotation-board") for name in made)


def test_after_a_computation_that_failed_the_next_look_computes_again() -> None:
    clock, fails = _Clock(), [True]

    def compute() -> Board:
        if fails.pop() if fails else False:
            raise ValueError("damaged")
        return cast(Board, "a board")

    async def look() -> Any:
        board = CachedBoard(compute, clock=clock)
        with pytest.raises(ValueError, match="damaged"):
            await board.get()
        return await board.get()

    assert asyncio.run(look()) == "a board"
