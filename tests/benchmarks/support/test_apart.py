"""Engines of a benchmark run in their own processes, which do not outlive it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from benchmarks.support.apart import in_own_process
from tests.support.repository import REPOSITORY

KILLED_WHILE_IT_WAITS = """
import os, time
from benchmarks.support.apart import in_own_process

def compute():
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    with in_own_process(compute) as call:
        call()
"""


def test_a_function_runs_elsewhere_and_in_one_place() -> None:
    with in_own_process(os.getpid) as call:
        first, second = call(), call()
    assert first == second != os.getpid()


def test_a_killed_benchmark_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(KILLED_WHILE_IT_WAITS, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as benchmark:
        assert benchmark.stdout is not None
        worker = psutil.Process(int(benchmark.stdout.readline()))
        benchmark.kill()
    _, alive = psutil.wait_procs([worker], timeout=60)
    assert not alive
