"""A service that dies is started again, ends with its keeper, and cannot fill the disk with its log."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.execution import keeper
from pipeline.core.process_identity import identity_of


def keep(log: Path, code: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", str(keeper.__file__), *options, str(log)]
    return subprocess.Popen([*command, sys.executable, "-uc", code])


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():  # the time limit of the test ends a wait in vain
        time.sleep(0.02)


def pids(log: Path) -> list[int]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [int(line) for line in lines if line.isdigit()]


RUNS = "import os, time; print(os.getpid()); time.sleep(600)"


@pytest.mark.parametrize("number", [15, 9], ids=["SIGTERM", "kill -9"])
def test_the_service_ends_with_its_keeper(tmp_path: Path, number: int) -> None:
    log = tmp_path / "logs" / "service.log"
    process = keep(log, RUNS)
    wait_for(lambda: pids(log))
    (service,) = pids(log)
    assert identity_of(service) is not None
    process.send_signal(number)
    assert process.wait() == (0 if number == 15 else -number)
    wait_for(lambda: identity_of(service) is None)


def test_a_service_that_was_killed_is_started_again_and_the_log_says_so(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    process = keep(log, RUNS, "--patient")
    wait_for(lambda: pids(log))
    subprocess.run(["kill", "-9", str(pids(log)[0])], check=True)
    wait_for(lambda: len(pids(log)) == 2)
    process.terminate()
    assert process.wait() == 0
    assert "starts again in 1 s" in log.read_text()
    assert identity_of(pids(log)[1]) is None


def test_a_service_that_never_gets_going_is_given_up(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    assert keep(log, "print('no such port'); raise SystemExit(3)").wait() == 3
    assert log.read_text().splitlines()[0] == "no such port"


def test_the_log_is_turned_over(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    line = "x" * 99_999
    count = 4 * keeper.LOG_BYTES // 100_000
    code = f"for _ in range({count}): print({line!r})\nraise SystemExit(1)"
    keep(log, code).wait()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["service.log", "service.log.1", "service.log.2"]
    assert sum(file.stat().st_size for file in files) <= 3 * keeper.LOG_BYTES
