"""One build a workspace, and no lock left by the dead."""

import json
import os
import subprocess
import sys
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
