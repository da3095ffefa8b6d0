"""Time of a saved label beside Potato 2.12.1, where one person has 20,000 labels, in one run on one machine.

Both servers run side by side and take turns. A label is the request that each page sends for it: ours answers once the
event is on the disk, and so does Potato's `/updateinstance`, which its page sends after each answer. `_and_next` adds
what brings the next text: with Potato a request to go on and the new page, with us a twentieth of a request for 20 rows.
"""

import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.peers.potato_peer import LABELS, PERSON, SCHEME
from benchmarks.support.annotation_page import client, started, texts
from benchmarks.support.annotation_store import give_labels, timed_labels
from benchmarks.support.peers import Peer, PeerError
from tests.support.labelling import make_project, row_id

_ROOT = Path(__file__).resolve().parents[2]
_GIVEN = 20_000
_ROWS = 21_000
_TURNS = 200
_NEXTS = 30
_START_SECONDS = 600.0


def measure() -> dict[str, float]:
    """Returns milliseconds of a saved label, and of one with the next text, of both, and their ratios.

    Raises:
        PeerError: Potato cannot be installed, or does not start or save.
    """
    peer = Peer(_ROOT, "potato")
    peer.install()
    with tempfile.TemporaryDirectory(prefix="modelyard-potato-") as folder:
        root = make_project(Path(folder) / "ours", texts(_ROWS))
        give_labels(root, _GIVEN)
        theirs = Path(folder) / "theirs"
        theirs.mkdir()
        with (
            _potato(peer, theirs) as potato,
            started(root) as (_, links),
            client(links["ann"]) as ours,
        ):
            return _compared(ours, potato)


def _compared(ours: httpx.Client, potato: httpx.Client) -> dict[str, float]:
    rows = [row_id(number) for number in range(_GIVEN, _ROWS)]
    save = timed_labels(ours, rows, name="turn", count=_TURNS + _NEXTS)
    numbers = iter(range(_GIVEN, _ROWS))
    times: dict[str, list[float]] = {"ours": [], "potato": []}
    turns: dict[str, Callable[[], float]] = {
        "ours": save,
        "potato": lambda: _saved(potato, next(numbers)),
    }
    for number in range(_TURNS):
        for name in ("ours", "potato") if number % 2 else ("potato", "ours"):
            times[name].append(turns[name]())
    nexts = {"ours": [save() + _rows(ours) / 20 for _ in range(_NEXTS)]}
    nexts["potato"] = [_saved(potato, next(numbers)) + _next_page(potato) for _ in range(_NEXTS)]
    found = {f"{name}_label_ms": 1000 * statistics.median(all_) for name, all_ in times.items()}
    found |= {f"{name}_and_next_ms": 1000 * statistics.median(all_) for name, all_ in nexts.items()}
    return found | {
        "labels_before": float(_GIVEN),
        "label_ratio": found["potato_label_ms"] / found["ours_label_ms"],
        "and_next_ratio": found["potato_and_next_ms"] / found["ours_and_next_ms"],
    }


@contextmanager
def _potato(peer: Peer, folder: Path) -> Iterator[httpx.Client]:
    """Yields a client that is logged in as the person who has labels."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log, url = folder / "potato.log", f"http://127.0.0.1:{port}"
    with (
        log.open("wb") as stream,
        peer.started(folder, port, _GIVEN, _ROWS, output=stream) as process,
        httpx.Client(base_url=url, timeout=120, trust_env=False) as asking,
    ):
        _wait(asking, process, log)
        asking.post("/auth", data={"email": PERSON, "pass": ""})
        yield asking


def _wait(asking: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            asking.get("/health")
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise PeerError(f"Potato does not answer: {'; '.join(lines[-3:])}")


def _saved(potato: httpx.Client, number: int) -> float:
    """Saves a label of a row as Potato's page does; returns the seconds."""
    label = LABELS[number % 2]
    body = {
        "instance_id": str(number),
        "annotations": {f"{SCHEME}:{label}": label},
        "span_annotations": [],
    }
    begun = time.perf_counter()
    answer = potato.post("/updateinstance", json=body)
    seconds = time.perf_counter() - begun
    if answer.status_code != 200 or answer.json().get("status") != "success":
        raise PeerError(f"Potato did not save a label: {answer.text[:200]}")
    return seconds


def _next_page(potato: httpx.Client) -> float:
    begun = time.perf_counter()
    potato.post("/annotate", json={"action": "next_instance"})
    potato.get("/annotate")
    return time.perf_counter() - begun


def _rows(ours: httpx.Client) -> float:
    begun = time.perf_counter()
    ours.get("/api/next?n=20").raise_for_status()
    return time.perf_counter() - begun
