"""Schemathesis reads `/openapi.json` and asks what it says, and what it forbids, with all its checks.

A few examples a route run with every test; two hundred, and the sequences of requests that it finds, are soak tests.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import chosen_environment
from pipeline.problem.decision import Decision
from pipeline.runtime.task import Task
from tests.support.server import RunningServer, run_server
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

OTHER_TASKS = {
    "doubtful": tiny_task(decision=Decision(abstain_below=0.9)),
    "several labels": tiny_task("multi_label"),
    "a number": tiny_task("regression"),
}


@pytest.fixture(name="server", scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("document")
    make_tiny_bundle(folder / "bundle")
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        yield server


def fuzz(server: RunningServer, folder: Path, *options: str) -> str:
    """Runs Schemathesis from the same seed and returns what it printed; it must find nothing wrong."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}openapi.json"]
    done = subprocess.run(
        [
            *command,
            "--checks",
            "all",
            "--seed",
            "1",
            "--no-color",
            "--suppress-health-check",
            "all",
            *options,
        ],
        cwd=folder,  # it keeps its examples where it runs
        env=chosen_environment({}) | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_a_few_examples_of_each_asking_route_find_nothing(
    server: RunningServer, tmp_path: Path
) -> None:
    few = ("--max-examples", "3", "--phases", "fuzzing", "--include-method", "POST")
    assert "Tested: 3" in fuzz(server, tmp_path, *few)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_examples_of_each_route_find_nothing(
    server: RunningServer, tmp_path: Path
) -> None:
    fuzz(server, tmp_path, "--max-examples", "200")
    assert server.process.poll() is None


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("task", OTHER_TASKS.values(), ids=OTHER_TASKS)
def test_twenty_examples_for_every_other_kind_of_model_find_nothing(
    tmp_path: Path, task: Task
) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=task)
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle")) as server:
        fuzz(server, tmp_path, "--max-examples", "20")
