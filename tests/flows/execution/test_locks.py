"""One build a workspace, and no lock left by the dead."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from flows.execution.locks import build_lock, clean_dvc_locks
from pipeline.release.server_process import is_alive
from tests.support.repository import REPOSITORY

TRY = (
    "import sys\nfrom pathlib import Path\nfrom flows.execution.locks import build_lock\n"
    "with build_lock(Path(sys.argv[1])):\n    print('got it', flush=True)\n"
)


def try_from_another_process(workspace: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TRY, str(workspace)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_build_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with build_lock(tmp_path):
        refused = try_from_another_process(tmp_path)
    assert refused.returncode == 1
    assert f"process {os.getpid()}" in refused.stderr
    assert try_from_another_process(tmp_path).stdout == "got it\n"


def test_the_same_process_may_take_the_lock_twice(tmp_path: Path) -> None:
    with build_lock(tmp_path) as first, build_lock(tmp_path) as second:
        assert first == second


def test_entries_of_dead_processes_leave_the_lock_file_of_dvc(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not collected: a zombie
    assert not is_alive(child.pid)
    path = tmp_path / ".dvc" / "tmp" / "rwlock"
    path.parent.mkdir(parents=True)
    dead = {"pid": child.pid, "cmd": "dvc repro"}
    path.write_text(json.dumps({"write": {"a": dead}, "read": {"b": [dead]}}))
    clean_dvc_locks(tmp_path)
    assert json.loads(path.read_text()) == {"write": {}, "read": {}}
    child.wait()


HOLD = (
    "import fcntl, sys\nheld = open(sys.argv[1], 'a')\nfcntl.flock(held, fcntl.LOCK_EX)\n"
    "print('held', flush=True)\nsys.stdin.read()\n"
)


def test_a_lock_that_stages_of_a_dead_build_still_hold_is_waited_for_whoever_has_its_number(
    tmp_path: Path,
) -> None:
    path = tmp_path / ".modelyard" / "build.lock"
    path.parent.mkdir()
    # As an earlier version wrote it; the number is that of a process which runs, and is another.
    path.write_text(json.dumps({"pid": os.getppid(), "since": "long ago"}))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stage:
        assert stage.stdout is not None
        stage.stdout.readline()
        threading.Timer(0.5, stage.kill).start()
        with build_lock(tmp_path):
            assert stage.wait() != 0


def test_an_entry_of_dvcs_whose_number_another_projects_dvc_has_leaves_the_lock_file(
    tmp_path: Path,
) -> None:
    workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
    path = workspace / ".dvc" / "tmp" / "rwlock"
    path.parent.mkdir(parents=True)
    elsewhere.mkdir()
    sleep = [sys.executable, "-c", "input()", "dvc", "repro"]
    with (
        subprocess.Popen(sleep, cwd=elsewhere, stdin=subprocess.PIPE) as other,
        subprocess.Popen(sleep, cwd=workspace, stdin=subprocess.PIPE) as own,
    ):
        entries = {
            name: {"pid": process.pid, "cmd": "dvc repro"}
            for name, process in {"a": other, "b": own}.items()
        }
        path.write_text(json.dumps({"write": entries, "read": {}}))
        clean_dvc_locks(workspace)
        assert json.loads(path.read_text()) == {"write": {"b": entries["b"]}, "read": {}}
