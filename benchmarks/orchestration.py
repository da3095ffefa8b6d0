"""The cost of orchestration: a build against its stages, a no-op against `dvc status`.

    python -m benchmarks.orchestration              # a small repository of four quick stages
    python -m benchmarks.orchestration --here       # this repository: a full build in a fresh copy of it

Each figure is the median over rounds. The overhead of a full build is given in seconds per stage,
too: its share means little if stages take milliseconds. The last line is JSON.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.support.command_line import new_parser, print_result
from flows.planning.machine import describe_machine
from pipeline.core.files import read_json
from tests.support.mini_repo import make_mini_repo, mini_environment

ROOT = Path(__file__).resolve().parents[1]
_DONE = re.compile(r"^\S+  done in ([0-9.]+) s", re.MULTILINE)


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """Runs a command that must succeed; returns its wall seconds and its output."""
    started = time.perf_counter()
    answer = subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )
    if answer.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{answer.stdout}{answer.stderr}")
    return time.perf_counter() - started, answer.stdout


def forget_results(folder: Path) -> None:
    """Deletes all results and the run cache, so that every stage is stale."""
    for name in ("artifacts", ".dvc/cache", ".modelyard/checkpoints"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "dvc.lock").unlink(missing_ok=True)


def measure(folder: Path, *, rounds: int, idle_rounds: int) -> dict[str, float]:
    """The medians over the rounds."""
    environment = mini_environment(folder)
    build = [sys.executable, "-m", "flows", "build", "--no-release"]
    status = [sys.executable, "-m", "dvc", "status"]
    full: list[tuple[float, float, int]] = []
    for _ in range(rounds):
        forget_results(folder)
        wall, printed = timed(build, folder, environment)
        own = [float(match) for match in _DONE.findall(printed)]
        full.append((wall, sum(own), len(own)))
    pairs = [
        (timed(build, folder, environment)[0], timed(status, folder, environment)[0])
        for _ in range(idle_rounds)
    ]
    return {
        "build_seconds": statistics.median(wall for wall, _, _ in full),
        "stages_seconds": statistics.median(own for _, own, _ in full),
        "overhead_share": statistics.median((wall - own) / wall for wall, own, _ in full),
        "overhead_seconds_per_stage": statistics.median(
            (wall - own) / number for wall, own, number in full
        ),
        "noop_seconds": statistics.median(idle for idle, _ in pairs),
        "dvc_status_seconds": statistics.median(plain for _, plain in pairs),
        "noop_vs_dvc": statistics.median(idle / plain for idle, plain in pairs),
    }


def main() -> None:
    """Command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--here", action="store_true", help="a full build of this repository")
    parser.add_argument("--rounds", type=int, help="full builds (default: 3, with --here 1)")
    parser.add_argument("--idle-rounds", type=int, default=7, help="no-op builds")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.here else 3)
    with tempfile.TemporaryDirectory(prefix="orchestration-") as name:
        folder = Path(name).resolve() / "repository"
        if options.here:
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
            # The demonstration product is built, whatever the user's is.
            (folder / "product.yaml").unlink(missing_ok=True)
        else:
            folder.mkdir()
            make_mini_repo(folder)
        figures = measure(folder, rounds=rounds, idle_rounds=options.idle_rounds)
        machine = read_json(folder / "machine.json") if options.here else describe_machine()
    ratios = {key: figures.pop(key) for key in ("overhead_share", "noop_vs_dvc")}
    stages = 15 if options.here else 4
    more = {"stages": stages, "rounds": rounds, "processes": os.cpu_count()}
    print_result("orchestration", ratios=ratios, figures=figures | more, machine=machine)


if __name__ == "__main__":
    main()
