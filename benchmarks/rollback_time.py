"""How long a rollback takes, from the command to the first answer of the bundle that served before.

    python -m benchmarks.rollback_time                          # small bundles of its own
    python -m benchmarks.rollback_time --bundle FOLDER          # the model of a build, released twice
    python -m benchmarks.rollback_time --rounds 15

A server runs under its supervisor, two bundles were released, and `modelyard rollback` is started as a
person starts it. Meanwhile somebody asks the server every two milliseconds which bundle answers. The
last line is JSON.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.support.bundle_copies import copy_with_note
from benchmarks.support.command_line import new_parser, print_result
from flows.execution.network import free_port
from pipeline.core.chosen_environment import chosen_environment
from pipeline.release.production import stop_serving
from pipeline.release.rollout import ReleaseRequest, Rollout, bundle_product
from pipeline.release.state import ReleaseState
from tests.support.tiny_bundle import make_tiny_bundle

ROOT = Path(__file__).resolve().parents[1]
_PERIOD = 0.002


def two_bundles(folder: Path, bundle: Path | None) -> list[Path]:
    """Two bundles of one product: small ones, or a given one and the same with another note."""
    made = [folder / "first", folder / "second"]
    if bundle is None:
        for seed, path in enumerate(made):
            make_tiny_bundle(path, seed=seed)
        return made
    shutil.copytree(bundle, made[0])
    copy_with_note(bundle, made[1], "")
    return made


def seconds_of_rollback(state: ReleaseState, url: str) -> dict[str, float]:
    """Seconds from the command to the first answer by the other bundle, and to the command's end."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30.0) as client:
        before = client.get("/model").json()["hash"]
        command = [sys.executable, "-m", "flows", "rollback", "--product", state.product]
        environment = {**chosen_environment(os.environ), "PYTHONPATH": str(ROOT)}
        started = time.perf_counter()
        rolling = subprocess.Popen(
            command, cwd=state.root, env=environment, stdout=subprocess.DEVNULL
        )
        while client.get("/model").json()["hash"] == before and not rolling.poll():
            time.sleep(_PERIOD)
        answered = time.perf_counter() - started
        if rolling.wait():
            raise RuntimeError(f"modelyard rollback ended with exit code {rolling.returncode}")
    return {"first_answer": answered, "whole_command": time.perf_counter() - started}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--bundle", type=Path, help="else two small ones are made")
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args(arguments)


def main() -> None:
    """Releases two bundles, rolls back and forth, and prints the figures."""
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bundles = two_bundles(root / "bundles", options.bundle)
        state, port = ReleaseState(root, bundle_product(bundles[0])), free_port()
        try:
            for bundle in bundles:
                request = ReleaseRequest(bundle=bundle, why="benchmark", port=port)
                address = Rollout(root, state.product).release(request).address
            rounds = [seconds_of_rollback(state, address) for _ in range(options.rounds)]
        finally:
            stop_serving(state)
    figures: dict[str, object] = {}
    for what in ("first_answer", "whole_command"):
        seconds = [one[what] for one in rounds]
        figures[what] = {"median_s": statistics.median(seconds), "most_s": max(seconds)}
        print(f"{what:14s} median {statistics.median(seconds):.3f} s, most {max(seconds):.3f} s")
    print_result("rollback_time", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
