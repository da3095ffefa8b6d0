"""The order of the queue follows the labels, failures cost nothing, and harmful suggestions are turned off."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.order_keeper import LEAST_NEW, OrderKeeper, Rescore
from pipeline.annotation.people import Person
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.score_file import SCORES_FILE, Scores, write_scores
from pipeline.annotation.store import Store
from pipeline.annotation.suggestions import Suggestions
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.errors import PipelineError
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

ANN = Person(name="ann", published="p1")
ASKED = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
ROWS = 600


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    root = make_project(tmp_path_factory.mktemp("rows"), [f"text {n}" for n in range(ROWS)])
    path = root / "rows.arrow"
    write_rows(path, [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(path)


@pytest.fixture
def store(tmp_path: Path, rows: RowFile) -> Iterator[Store]:
    opened = Store(
        tmp_path,
        rows=rows,
        people=(ANN,),
        assignment=ASKED,
        double_share=0.0,
        random_share=0.2,
        suggestions=Suggestions(share=0.5),
        what="",
    )
    yield opened
    opened.close()


def _scores(**more: Any) -> Scores:
    ids = np.arange(ROWS, dtype=np.uint64)
    given: dict[str, Any] = {
        "ids": ids,
        "probabilities": np.tile(np.array([0.4, 0.6], np.float32), (ROWS, 1)),
        "labels": LABELS,
        "model": "head",
        "lanes": {"uncertain": ids[::-1]},
        "weights": {"uncertain": 0.8},
    }
    return Scores(**given | more)


def _rescore(folder: Path, calls: list[int], **scores: Any) -> Rescore:
    def rescore(_: threading.Event) -> Path:
        calls.append(1)
        write_scores(folder / SCORES_FILE, _scores(**scores))
        return folder / SCORES_FILE

    return rescore


def _keeper(store: Store, folder: Path, rescore: Rescore | None, told: list[str]) -> OrderKeeper:
    return OrderKeeper(store, folder=folder, rescore=rescore, tell=told.append, first_after=0.0)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _label(store: Store, count: int, label: str = LABELS[0]) -> None:
    given = store.next_rows(ANN, count)
    for row in given:
        store.suggestions.give(ANN, row.id)
    votes = [vote(f"u{row.id}", row.id, label) for row in given]
    for start in range(0, len(votes), 100):
        store.submit(ANN, votes[start : start + 100]).result(20)


def test_scores_change_the_order_and_are_made_anew_after_more_labels(
    tmp_path: Path, store: Store
) -> None:
    calls: list[int] = []
    told: list[str] = []
    keeper = _keeper(store, tmp_path, _rescore(tmp_path, calls), told)
    try:
        _until(lambda: store.waiting().get("uncertain", 0) > 0)
        assert "uncertain" in told[0]
        whys = Counter(store.why(row.id) for row in store.next_rows(ANN, 50))
        assert whys == {"random": 10, "uncertain": 40}
        _label(store, LEAST_NEW + 5)
        _until(lambda: len(calls) == 2)
    finally:
        keeper.close()
    assert len(told) == 1


def test_a_scoring_that_fails_is_said_once_and_rows_go_on(tmp_path: Path, store: Store) -> None:
    def rescore(_: threading.Event) -> Path:
        raise PipelineError("no checkpoint", expected="one", next_step="install it")

    told: list[str] = []
    keeper = _keeper(store, tmp_path, rescore, told)
    try:
        _until(lambda: bool(told))
    finally:
        keeper.close()
    assert "no checkpoint" in told[0]
    assert {store.why(row.id) for row in store.next_rows(ANN, 20)} == {"random"}


def test_the_order_of_an_earlier_server_stands_until_there_is_a_new_one(
    tmp_path: Path, store: Store
) -> None:
    write_scores(tmp_path / SCORES_FILE, _scores())
    keeper = _keeper(store, tmp_path, _wait, [])
    try:
        assert store.waiting()["uncertain"] > 0
    finally:
        keeper.close()


def _wait(ends: threading.Event) -> Path:
    ends.wait(20)
    raise PipelineError("ended", expected="", next_step="")


@pytest.mark.parametrize(
    "damage", [b"", b"no arrow file"], ids=["an empty file", "a file of another kind"]
)
def test_a_damaged_file_of_scores_is_said_and_passed_over(
    tmp_path: Path, store: Store, damage: bytes
) -> None:
    (tmp_path / SCORES_FILE).write_bytes(damage)
    told: list[str] = []
    _keeper(store, tmp_path, _rescore(tmp_path, []), told).close()
    assert SCORES_FILE in told[0]


def test_scores_of_other_labels_are_not_taken(tmp_path: Path, store: Store) -> None:
    write_scores(tmp_path / SCORES_FILE, _scores(labels=("a", "b")))
    _keeper(store, tmp_path, _wait, []).close()
    assert "uncertain" not in store.waiting()


def test_suggestions_that_pull_are_turned_off_and_said_and_stay_off_after_a_restart(
    tmp_path: Path, store: Store
) -> None:
    """The person takes each suggestion in sight, and the other label where none is."""
    store.use_scores(_scores())
    sent = []
    for row in store.next_rows(ANN, 400):
        given = store.suggestions.give(ANN, row.id)
        assert given is not None
        label = LABELS[1] if given[0] == "shown" else LABELS[0]
        sent.append(vote(f"u{row.id}", row.id, label))
    for start in range(0, len(sent), 100):
        store.submit(ANN, sent[start : start + 100]).result(20)
    told: list[str] = []
    keeper = _keeper(store, tmp_path, None, told)
    keeper.close()
    assert not store.suggestions.are_on
    assert "turned off" in told[0]
    assert store.suggestions.give(ANN, row_id(599)) is None
