"""A server under load that swaps its bundle again and again keeps its memory, and a leak would be seen.

SOAK_SECONDS shortens the run of thirty minutes: `SOAK_SECONDS=120 make soak ARGS="-k memory_of_a_server"`.
"""

import itertools
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from benchmarks.support.serving_field import own_memory_mb
from pipeline.core.files import write_json
from tests.serving.test_supervisor import copy_of_code
from tests.support.repository import REPOSITORY
from tests.support.server import run_server, wait_until
from tests.support.steady_load import steady_load
from tests.support.tiny_bundle import make_tiny_bundle

SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
pytestmark = [pytest.mark.soak, pytest.mark.timeout(11 * SECONDS + 900)]
SWAPS = 60
"""One each thirty seconds of a whole run; a shorter one has as many."""
RATE = 300.0
LEAK_REQUESTS = 30_000
MOST_MB = 10.0
LEAK = """

_kept: list[bytes] = []
_outputs_together = TextModel.outputs_together


def _leaking(*arguments: object) -> object:
    _kept.append(os.urandom(1024))
    return _outputs_together(*arguments)


TextModel.outputs_together = _leaking
"""


def test_memory_grows_by_at_most_10_mb_from_the_midpoint(tmp_path: Path) -> None:
    grown = growth_mb(
        tmp_path, code=REPOSITORY, seconds=SECONDS, requests=round(SECONDS * RATE / 2), rate=RATE
    )
    assert grown <= MOST_MB, f"{grown:.1f} MB"


def test_a_leak_of_1_kb_a_request_is_seen(tmp_path: Path) -> None:
    code = copy_of_code(tmp_path / "code")
    model = code / "pipeline/runtime/text_model.py"
    model.write_text("import os\n" + model.read_text() + LEAK)
    grown = growth_mb(tmp_path, code=code, seconds=1.0, requests=LEAK_REQUESTS, rate=1e6)
    assert grown > MOST_MB, f"{grown:.1f} MB"


def growth_mb(folder: Path, *, code: Path, seconds: float, requests: int, rate: float) -> float:
    """Megabytes by which a server's own memory grows from the midpoint of a load with `SWAPS` swaps to its end.

    The load ends after so many seconds and answers, whichever takes longer.
    """
    bundles = [folder / name for name in ("first", "second", "third")]
    hashes = {path.name: make_tiny_bundle(path, seed=seed) for seed, path in enumerate(bundles)}
    swaps, pointer = itertools.cycle(hashes.items()), folder / "current.json"

    def swap() -> str:
        name, digest = next(swaps)
        write_json(pointer, {"bundle": digest, "folder": name})
        return digest

    digest = swap()
    with run_server(folder, "--pointer", str(pointer), code=code) as server:
        wait_until(lambda: server.note().serves(digest))
        memory: list[float] = []
        with steady_load(server.url, connections=4, rate=rate) as seen:
            begun = time.monotonic()

            def progress() -> float:
                return min((time.monotonic() - begun) / seconds, seen.answered / requests)

            for number in range(1, SWAPS + 1):
                wait_until(partial(reached, progress, number / SWAPS), seconds=10 * seconds + 600)
                memory.append(own_memory_mb(server))
                digest = swap()
                wait_until(lambda digest=digest: server.note().serves(digest))  # type: ignore[misc]
        middle, end = memory[SWAPS // 2 - 1], memory[-1]
        print(f"\n{seen.answered} answers, {SWAPS} swaps: {middle:.1f} MB, then {end:.1f} MB")
        assert seen.failed == 0, seen.failures[:3]
        assert server.stop() == 0
    return end - middle


def reached(progress: Callable[[], float], share: float) -> bool:
    return progress() >= share
