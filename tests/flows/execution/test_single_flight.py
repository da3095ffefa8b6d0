"""Two builds of the same work: it runs once, and the second takes its result."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.execution.by_hand import run_by_hand
from flows.execution.locks import build_lock
from flows.execution.runner import Runner, open_runner
from flows.execution.workspace import open_workspace
from flows.planning.codelock import refresh_code_lock
from flows.planning.resolution import Variation, refresh_build_file, resolved
from tests.support.mini_repo import make_mini_repo, mini_environment

STAGE = """
import time
from pathlib import Path
from pipeline.core.stage import run_stage

def run(_, paths):
    with Path({shared!r}, "ran").open("a") as ran:
        ran.write("once\\n")
    while not Path({shared!r}, "go").exists():
        time.sleep(0.05)
    (paths.out / "records.txt").write_text("one two three")
    return {{"headline": "collected"}}

if __name__ == "__main__":
    run_stage("collect", run)
"""
BUILD = """
import sys
from pathlib import Path
from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
root = Path(sys.argv[1])
with build_lock(root) as lock:
    open_runner(root, root=root, lock=lock).run("collect", print)
"""


@dataclass(frozen=True)
class Project:
    """A mini repository whose `collect` notes that it runs, and ends when the file `go` is there."""

    root: Path
    shared: Path

    @property
    def times_run(self) -> int:
        ran = self.shared / "ran"
        return len(ran.read_text().splitlines()) if ran.exists() else 0

    def go(self) -> None:
        (self.shared / "go").touch()

    @contextmanager
    def at_last(self) -> Iterator[None]:
        """Lets the stage end with the block, so that a test that fails does not hang."""
        try:
            yield
        finally:
            self.go()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root, shared = make_mini_repo(tmp_path / "mini"), tmp_path / "shared"
    shared.mkdir()
    (root / "pipeline" / "collect.py").write_text(STAGE.format(shared=str(shared)))
    refresh_build_file(root)
    refresh_code_lock(root)
    return Project(root, shared)


@contextmanager
def runner_in(workspace: Path, root: Path) -> Iterator[Runner]:
    with build_lock(workspace) as lock:
        yield open_runner(workspace, root=root, lock=lock)


@contextmanager
def in_a_worktree(project: Project) -> Iterator[Runner]:
    """A worktree in which `gate` alone has another value."""
    params = resolved(project.root, Variation(changes=["gate.golden_requests=7"]))
    with (
        open_workspace(project.root, name="x", params=params) as folder,
        runner_in(folder, project.root) as runner,
    ):
        refresh_code_lock(folder)
        yield runner


class Listener:
    """Keeps lines, and says when one with certain words has come."""

    def __init__(self, words: str) -> None:
        self.lines: list[str] = []
        self.heard = threading.Event()
        self._words = words

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if self._words in line:
            self.heard.set()


def test_the_second_waits_for_the_first_and_takes_its_result(project: Project) -> None:
    first, second = Listener("collect  started"), Listener("waits for the same work")
    with (
        runner_in(project.root, project.root) as runner,
        in_a_worktree(project) as other,
        ThreadPoolExecutor(2) as threads,
        project.at_last(),
    ):
        one = threads.submit(runner.run, "collect", first)
        assert first.heard.wait(120)
        two = threads.submit(other.run, "collect", second)
        assert second.heard.wait(120)
        assert f"a build in {project.root}" in second.lines[0]
        project.go()
        assert (one.result().state, two.result().state) == ("ran", "cached")
    assert project.times_run == 1
    assert [*(project.root / ".modelyard" / "locks").iterdir()] == []


def test_a_stage_by_hand_waits_for_the_same_work_of_a_build(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would train in one folder of checkpoints."""
    first, by_hand = Listener("collect  started"), Listener("waits for the same work")
    monkeypatch.setattr("flows.execution.by_hand.say", by_hand)
    with in_a_worktree(project) as other, ThreadPoolExecutor(2) as threads, project.at_last():
        one = threads.submit(other.run, "collect", first)
        assert first.heard.wait(120)
        two = threads.submit(run_by_hand, project.root, "collect", force=False, plain=True)
        assert by_hand.heard.wait(120)
        assert project.times_run == 1
        project.go()
        assert one.result().state == "ran"
        two.result()
    assert project.times_run == 2


def test_a_killed_builds_work_is_done_by_the_one_that_waited(project: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(project.root)],
        env=mini_environment(project.root),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "collect  started" in process.stdout.readline()
        second = Listener("waits for the same work")
        with in_a_worktree(project) as other, ThreadPoolExecutor(1) as threads, project.at_last():
            two = threads.submit(other.run, "collect", second)
            assert second.heard.wait(120)
            process.send_signal(signal.SIGKILL)
            while project.times_run == 1:  # the time limit of the test ends a wait in vain
                time.sleep(0.05)
            project.go()
            assert two.result().state == "ran"


def test_an_entry_that_a_kill_left_empty_in_dvcs_run_cache_stops_no_build(project: Project) -> None:
    project.go()
    with runner_in(project.root, project.root) as runner:
        runner.run("collect", print)
        [entry] = (project.root / ".dvc" / "cache" / "runs").glob("*/*/*")
        entry.unlink()  # as where the process ended between making the folder and the file
        (project.root / "dvc.lock").unlink()
        (project.root / "artifacts" / "collect" / "records.txt").unlink()
        assert runner.run("collect", print).state == "ran"
        (project.root / "dvc.lock").unlink()
        (project.root / "artifacts" / "collect" / "records.txt").unlink()
        assert runner.run("collect", print).state == "cached"
