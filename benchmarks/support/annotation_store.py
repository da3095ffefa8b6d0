"""Costs of a label as a person's labels grow: two servers side by side, one with 100 labels and one with 100,000.

Each turn saves a label and asks for the next rows on both, in changing order, so that a disturbance of the machine
meets both alike. Processor time is that of the servers, so a cost that grows with the log would show there too.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from benchmarks.support.annotation_page import client, peak_megabytes, started, texts
from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import Event
from pipeline.annotation.store import log_file
from tests.support.labelling import LABELS, PRODUCT, make_project, row_id, vote

FEW, MANY = 100, 100_000
_ROWS = 150_000
_LABELS = 3_000
_BATCH = 1_000


def measure() -> dict[str, float]:
    """Returns milliseconds of a label at both sizes, by the clock and of the processor, and their ratios."""
    with tempfile.TemporaryDirectory(prefix="modelyard-annotation-") as folder:
        roots = {name: Path(folder) / name for name in ("few", "many")}
        written = texts(_ROWS)
        for name, count in (("few", FEW), ("many", MANY)):
            give_labels(make_project(roots[name], written), count)
        begun = time.perf_counter()
        with started(roots["many"]) as (many, links_many):
            opened = time.perf_counter() - begun
            with started(roots["few"]) as (few, links_few):
                figures = _compared({"few": (few, links_few), "many": (many, links_many)})
                return figures | {
                    "start_at_many_s": opened,
                    "peak_at_many_mb": peak_megabytes(many.pid),
                }


def give_labels(root: Path, count: int) -> None:
    """Writes a log of the first person with so many votes, on the first rows."""
    folder = root / ".modelyard" / "annotation" / PRODUCT
    log = EventLog(log_file(folder, "p1"), each=lambda kept: None)
    for start in range(0, count, _BATCH):
        votes = [_vote(number) for number in range(start, min(start + _BATCH, count))]
        log.add([(vote, "a" * 64) for vote in votes], person="p1", time="2026-01-01T00:00:00+00:00")
    log.close()


def timed_labels(
    asking: httpx.Client, rows: list[str], *, name: str, count: int
) -> Callable[[], float]:
    """Returns a function that saves one more label, and seconds that it took.

    Args:
        rows: ids of rows to label, at least `count`.
        name: begins the uids.
    """
    given = iter(range(count))

    def save() -> float:
        number = next(given)
        label, more = LABELS[number % 2], {"seconds": 3.2, "why": "random"}
        event = vote(f"{name}-{number}", rows[number], label, **more)
        begun = time.perf_counter()
        asking.post("/api/events", json=[event]).raise_for_status()
        return time.perf_counter() - begun

    return save


def _vote(number: int) -> Event:
    label = (LABELS[number % 2],)
    return Event(
        uid=f"{number:032x}",
        event="vote",
        row=row_id(number),
        labels=label,
        seconds=3.2,
        why="random",
    )


def _compared(servers: dict[str, tuple[psutil.Process, dict[str, str]]]) -> dict[str, float]:
    clients = {name: client(links["ann"]) for name, (_, links) in servers.items()}
    rows = [row_id(number) for number in range(MANY, MANY + _LABELS)]
    saves = {name: timed_labels(clients[name], rows, name=name, count=_LABELS) for name in clients}
    times: dict[str, list[float]] = {name: [] for name in clients}
    nexts: dict[str, list[float]] = {name: [] for name in clients}
    used = {name: _processor_seconds(process) for name, (process, _) in servers.items()}
    for number in range(_LABELS):
        for name in ("few", "many") if number % 2 else ("many", "few"):
            times[name].append(saves[name]())
            if number % 20 == 0:
                begun = time.perf_counter()
                clients[name].get("/api/next?n=20").raise_for_status()
                nexts[name].append(time.perf_counter() - begun)
    figures = {}
    for name, (process, _) in servers.items():
        clients[name].close()
        figures[f"label_at_{name}_ms"] = 1000 * statistics.median(times[name])
        figures[f"next_at_{name}_ms"] = 1000 * statistics.median(nexts[name])
        cost = _processor_seconds(process) - used[name]
        figures[f"processor_at_{name}_ms"] = 1000 * cost / _LABELS
    for what in ("label", "next", "processor"):
        figures[f"{what}_ratio"] = figures[f"{what}_at_many_ms"] / figures[f"{what}_at_few_ms"]
    return figures


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
