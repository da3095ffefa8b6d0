"""A peer that starts processes of its own leaves none of them behind."""

import signal
import subprocess
import sys

import psutil

from benchmarks.support.peers import signal_tree

STARTS_ANOTHER = """
import subprocess, sys
child = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(child, start_new_session=True).pid, flush=True)
sys.stdin.read()
"""


def test_a_signal_reaches_a_child_in_another_session() -> None:
    command = [sys.executable, "-c", STARTS_ANOTHER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        signal_tree(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([child], timeout=60)
    assert not alive


def test_a_signal_to_a_process_that_is_gone_is_none() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    signal_tree(process.pid, signal.SIGKILL)
