"""A process is the one that was meant, or it is not: never another one with its number."""

import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from pipeline.core import process_identity
from pipeline.core.process_identity import Presence, identity_of, is_running, presence, this_process


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_this_process_runs():
    assert is_running(this_process())


def test_another_process_runs_until_it_ends(sleeper):
    noted = identity_of(sleeper.pid)
    assert presence(noted) is Presence.RUNNING
    sleeper.kill()
    sleeper.wait()
    assert presence(noted) is Presence.ENDED


def test_a_zombie_does_not_run(sleeper):
    noted = identity_of(sleeper.pid)
    sleeper.kill()
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert not is_running(noted)


@pytest.mark.parametrize("change", [{"started": "1"}, {"boot": "another boot"}])
def test_a_process_that_took_over_the_number_is_not_meant(change):
    assert presence(replace(this_process(), **change)) is Presence.ENDED


def test_a_process_of_another_host_is_neither_running_nor_ended():
    assert presence(replace(this_process(), host="another-pod")) is Presence.ELSEWHERE


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_a_number_of_no_process_has_no_identity(pid):
    assert identity_of(pid) is None


def test_a_clock_that_is_set_changes_no_identity(monkeypatch):
    """psutil adds the time of the boot, which the kernel computes anew from the wall clock."""
    noted = this_process()
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1.0)
    assert is_running(noted)


def test_a_name_with_brackets_and_blanks_is_read(tmp_path):
    program = tmp_path / "a) Z (b"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert identity_of(process.pid) is not None
        process.kill()


def test_ps_says_the_same_twice_where_there_is_no_proc(monkeypatch, sleeper, tmp_path):
    """As on a Mac."""
    monkeypatch.setattr(process_identity, "_BOOT_ID", tmp_path / "none")
    noted = identity_of(sleeper.pid)
    assert is_running(noted)
    sleeper.kill()
    assert not is_running(noted)
