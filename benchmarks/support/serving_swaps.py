"""The part `swaps`: bundles are exchanged under load; failures, answers under a wrong header, memory."""

import asyncio
import itertools
import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.support.bundle_copies import copy_with_labels_turned, copy_with_note
from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import open_loop, run_load
from benchmarks.support.load_figures import (
    Answers,
    Bar,
    Outcome,
    Times,
    percentile,
    steady_arrivals,
)
from benchmarks.support.serving_field import (
    OPEN_CONNECTIONS,
    OURS,
    Conditions,
    capacity,
    closed,
    our_server,
    own_memory_mb,
    paced,
    place_of,
    tell_faults,
)
from pipeline.core.files import write_json
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.server import RunningServer, ready_hash, wait_until

_SWAPS = 20
_SHARE = 0.7
_REQUESTS = 20_000
_TEXTS = 500
_MEMORY_SWAPS, _MEMORY_FIRST = 100, 10
_BETWEEN_SECONDS = 0.1
_BARS = {"failed": 0.0, "wrong_versions": 0.0, "p99_ratio": 2.0, "memory_growth_mb": 5.0}


def measure(conditions: Conditions) -> Outcome:
    """Figures of 20 swaps at 70 % load, and the memory from swap 10 to 100 of another server."""
    with tempfile.TemporaryDirectory(prefix="modelyard-swaps-") as name:
        folder = Path(name)
        hashes = three_bundles(folder, conditions.bundle)
        figures = _under_load(conditions, folder, hashes)
        figures["memory_growth_mb"] = _growth(conditions, folder, hashes)
    enough = [
        Bar(name="swaps_seen", value=figures["swaps_seen"], limit=_SWAPS, at_least=True),
        Bar(name="requests", value=figures["requests"], limit=_REQUESTS, at_least=True),
    ]
    bars = [Bar(name=name, value=figures[name], limit=limit) for name, limit in _BARS.items()]
    return Outcome(figures=figures, bars=[*bars, *enough])


def three_bundles(folder: Path, bundle: Path) -> dict[str, str]:
    """Names of three folders beside the pointer → the hash of the bundle in each.

    The server keeps the bundle that served before, so only the third of three is loaded anew each time.
    """
    return {
        "turned": copy_with_labels_turned(bundle, folder / "turned"),
        "same": copy_with_note(bundle, folder / "same", "The same model."),
        "again": copy_with_note(bundle, folder / "again", "The same model again."),
    }


def point(pointer: Path, name: str, digest: str) -> None:
    """Has a server that follows the pointer serve the bundle in the folder `name` beside it."""
    write_json(pointer, {"bundle": digest, "folder": name})


def _under_load(
    conditions: Conditions, folder: Path, hashes: Mapping[str, str]
) -> dict[str, float]:
    texts, pointer = conditions.traffic.mixed[:_TEXTS], folder / "current.json"
    requests = OURS.requests(texts)
    point(pointer, *next(iter(hashes.items())))
    with our_server(conditions, "--pointer", str(pointer)) as server:
        place = place_of(server)
        rate = _SHARE * capacity(place, requests, seconds=conditions.seconds)
        alone = paced(place, requests, rate=rate, seconds=conditions.seconds)
        due = steady_arrivals(rate, 1.05 * _REQUESTS / rate, seed=1)
        answers = run_load(_swapping(place, requests, pointer, hashes, due=due))
    tell_faults(answers)
    expected = _expected_labels(texts, folder, hashes)
    before, beside = (percentile(one.milliseconds, 99) for one in (alone, answers))
    return {
        "requests": float(len(answers)),
        "failed": float(answers.failed),
        "p99_ms": beside,
        "p99_alone_ms": before,
        "p99_ratio": beside / before,
        **versions(answers, expected),
    }


async def _swapping(
    place: Place, requests: list[bytes], pointer: Path, hashes: Mapping[str, str], *, due: Times
) -> Answers:
    """Answers of a load during which the pointer changes `_SWAPS` times."""
    load = asyncio.ensure_future(
        open_loop(place, requests, due=due, connections=OPEN_CONNECTIONS, keep=True)
    )
    bundles = itertools.islice(itertools.cycle(hashes.items()), 1, _SWAPS + 1)
    for name, digest in bundles:
        await asyncio.sleep(float(due[-1]) / (_SWAPS + 1))
        await asyncio.to_thread(point, pointer, name, digest)
    return await load


def _expected_labels(
    texts: Sequence[str], folder: Path, hashes: Mapping[str, str]
) -> dict[str, list[str]]:
    """Hash of a bundle → the labels that its model gives the texts."""
    found: dict[str, list[str]] = {}
    for name, digest in hashes.items():
        model = TextModel.from_bundle(open_bundle(folder / name))
        found[digest] = [str(answer.label) for answer in model.predict(texts)]
    return found


def versions(answers: Answers, expected: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """How many bundles followed each other, and how many answers were not of the bundle they name.

    An answer names its bundle in the header `Bundle-Hash`, if it has one, and in its body: both must be of
    the bundle whose model gives that text that label.
    """
    wrong, without, named = 0, 0, []
    for number in sorted(answers.kept, key=lambda number: float(answers.done[number])):
        if answers.status[number] != 200:
            continue
        header, digest, label = _version_of(answers.kept[number])
        labels = expected.get(digest)
        without += header is None
        named.append(digest)
        right = labels is not None and labels[number % len(labels)] == label
        wrong += not (right and header in (None, digest))
    swaps = int((np.array(named[1:]) != np.array(named[:-1])).sum()) if named else 0
    return {
        "wrong_versions": float(wrong),
        "without_header": float(without),
        "swaps_seen": float(swaps),
    }


def _version_of(answer: bytes) -> tuple[str | None, str, str]:
    """The bundle that the header names, the one that the body names, and the label."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = (line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:])
    header = next((value.strip().decode() for name, value in lines if name == b"bundle-hash"), None)
    told = json.loads(body)
    return header, told["model"]["hash"], told["predictions"][0]["label"]


def _growth(conditions: Conditions, folder: Path, hashes: Mapping[str, str]) -> float:
    """Megabytes by which memory grew from swap 10 to swap 100."""
    pointer, requests = folder / "current.json", OURS.requests(conditions.traffic.mixed)
    after: dict[int, float] = {}
    with our_server(conditions, "--pointer", str(pointer)) as server:
        bundles = itertools.cycle(hashes.items())
        for number in range(1, _MEMORY_SWAPS + 1):
            name, digest = next(bundles)
            point(pointer, name, digest)
            wait_until(partial(_serves, server, digest))
            closed(place_of(server), requests, connections=4, seconds=_BETWEEN_SECONDS)
            if number in (_MEMORY_FIRST, _MEMORY_SWAPS):
                after[number] = own_memory_mb(server)
    return after[_MEMORY_SWAPS] - after[_MEMORY_FIRST]


def _serves(server: RunningServer, digest: str) -> bool:
    return ready_hash(server.url) == digest
