"""Times of the board with 80,000 labels of 20 people, and what a look at it costs those who label meanwhile.

A client labels 20 texts a second, first alone, then while others look at the board as often as it is computed anew. A
label is acknowledged once it is on the disk.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import numpy as np

from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import read_event
from pipeline.annotation.store import log_file
from tests.support.labelling import PRODUCT, label_server, make_project, post, row_id, vote
from tests.support.planted_votes import LABELS, planted_votes

_ROWS, _VOTES_A_ROW, _PEOPLE = 16_000, 5, 20
_WAITING = 2_000
_ALONE, _LOOKS = 200, 3
_PAUSE = 0.05


def measure() -> dict[str, float]:
    """Returns seconds of a look, and milliseconds until a label is acknowledged (95th percentile) alone and meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_project(root, [f"text {n}" for n in range(_ROWS + _WAITING)], labels=LABELS)
        people = _write_votes(root)
        names = ",".join(["lea:lead", *(f"n{number}" for number in range(2, people + 1))])
        with (
            label_server(root, names) as server,
            server.client("n2") as client,
            server.client("lea") as lead,
        ):
            labelled = _Labelling(client)
            alone = [labelled.one() for _ in range(_ALONE)]
            seconds, meanwhile = _looked(lead, labelled)
    return {
        "votes": float(_ROWS * _VOTES_A_ROW),
        "first_look_seconds": seconds[0],
        "look_seconds": float(np.median(seconds[1:])),
        "label_alone_p95_ms": float(np.percentile(alone, 95)),
        "label_meanwhile_p95_ms": float(np.percentile(meanwhile, 95)),
        "labels_meanwhile": float(len(meanwhile)),
    }


def _write_votes(root: Path) -> int:
    """Writes the logs of planted people; returns how many they are."""
    planted = planted_votes(rows=_ROWS, people=_PEOPLE, votes_a_row=_VOTES_A_ROW)
    events: dict[str, list[tuple[str, str]]] = {}
    for number, given in enumerate(planted.votes.values()):
        for person, label in given.items():
            events.setdefault(person, []).append((row_id(number), label))
    folder = root / ".modelyard" / "annotation" / PRODUCT
    for number, name in enumerate(sorted(events), start=1):
        log = EventLog(log_file(folder, f"p{number}"), each=lambda kept: None)
        votes = [
            (read_event(vote(row, row, label, seconds=2.0)), None) for row, label in events[name]
        ]
        log.add(votes, person=f"p{number}", time="2026-12-01T09:00:00.000+00:00")
        log.close()
    return len(events)


class _Labelling:
    """Somebody who labels one text after the other."""

    def __init__(self, client: httpx.Client) -> None:
        self._client, self._numbers = client, count(_ROWS)

    def one(self) -> float:
        """Milliseconds until a label is acknowledged; a pause follows."""
        number = next(self._numbers)
        started = time.perf_counter()
        post(self._client, vote(f"new {number}", row_id(number), LABELS[0], seconds=2.0))
        taken = time.perf_counter() - started
        time.sleep(_PAUSE)
        return 1000 * taken


def _looked(lead: httpx.Client, labelled: _Labelling) -> tuple[list[float], list[float]]:
    """Seconds of looks that had to be computed, and milliseconds of the labels given while one was."""
    seconds: list[float] = []
    computing, over = threading.Event(), threading.Event()

    def look() -> None:
        for _ in range(_LOOKS):
            computing.set()
            started = time.perf_counter()
            lead.get("/api/board").raise_for_status()
            seconds.append(time.perf_counter() - started)
            computing.clear()
            time.sleep(1 + max(5.0, 5 * seconds[-1]))  # until the figures are no longer fresh
        over.set()

    looker = threading.Thread(target=look)
    looker.start()
    found = [taken for taken, was in _taken(labelled, computing, over) if was]
    looker.join()
    return seconds, found


def _taken(
    labelled: _Labelling, computing: threading.Event, over: threading.Event
) -> Iterator[tuple[float, bool]]:
    while not over.is_set():
        was = computing.is_set()
        yield labelled.one(), was
