"""A lock has one holder at a time, and none when its holders have ended."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.core.file_lock import Holder, holder_of, try_lock, unlock, waited_lock
from tests.support.repository import REPOSITORY

HOLD = (
    "import sys\nfrom pathlib import Path\nfrom pipeline.core.file_lock import try_lock\n"
    "assert try_lock(Path(sys.argv[1]), what='training') is not None\n"
    "print('has it', flush=True)\nsys.stdin.read()\n"
)


def hold_in_another_process(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "has it\n"
    return process


def test_one_holder_at_a_time_who_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    held = try_lock(path, what="a build")
    assert held is not None
    assert try_lock(path) is None
    assert str(holder_of(path)).startswith(f"a build, process {os.getpid()}, since 20")
    assert holder_of(path).is_running
    unlock(path, held)
    assert not path.exists()
    again = try_lock(path)
    assert again is not None
    unlock(path, again)


def test_a_killed_holder_frees_it_and_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    with hold_in_another_process(path) as process:
        assert try_lock(path) is None
        assert holder_of(path).is_running
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not holder_of(path).is_running
    held = try_lock(path)
    assert held is not None
    unlock(path, held)


def test_a_waiter_is_told_for_whom_and_takes_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    with hold_in_another_process(path) as process:
        seen: list[str] = []

        def waiting(holder: Holder, seconds: float) -> None:
            seen.append(str(holder))
            if process.poll() is None:
                process.kill()
                process.wait()

        with waited_lock(path, what="mine", waiting=waiting) as descriptor:
            assert os.fstat(descriptor).st_ino == path.stat().st_ino
            assert holder_of(path).what == "mine"
    assert seen[0].startswith(f"training, process {process.pid}")
    free = try_lock(path)
    assert free is not None
    unlock(path, free)


def test_a_waiter_may_give_up(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    held = try_lock(path)
    assert held is not None

    def give_up(holder: Holder, seconds: float) -> None:
        raise TimeoutError(str(holder))

    with pytest.raises(TimeoutError), waited_lock(path, what="never", waiting=give_up):
        raise AssertionError
    unlock(path, held)


def test_no_two_hold_it_though_each_removes_its_file(tmp_path: Path) -> None:
    path, inside = tmp_path / "some.lock", tmp_path / "inside"

    def enter(_: int) -> None:
        with waited_lock(path, what="", waiting=lambda *_: None):
            inside.mkdir()  # fails where another is inside
            inside.rmdir()
            path.unlink()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enter, range(40)))
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"pid": 1, "since": "long ago"})])
def test_a_file_of_an_earlier_version_or_half_written_names_nobody_that_runs(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "build.lock"
    path.write_text(text)
    assert not holder_of(path).is_running
    assert "process" in str(holder_of(path))
