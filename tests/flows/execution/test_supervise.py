"""Whatever way the flow dies, what it started dies too."""

import subprocess
import sys
import time
from pathlib import Path

from flows.execution import supervise
from pipeline.release.server_process import is_alive

SPAWN = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
    " start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)\n"
)


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", str(Path(supervise.__file__)), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_ended(pid: int) -> None:
    while is_alive(pid):  # the time limit of the test ends a wait in vain
        time.sleep(0.05)


def test_the_exit_code_of_the_command_is_passed_on() -> None:
    process = start(sys.executable, "-c", "import sys; sys.exit(7)")
    assert process.wait(timeout=60) == 7
    process.communicate()


def test_a_closed_pipe_ends_even_a_grandchild_in_a_session_of_its_own() -> None:
    process = start(sys.executable, "-c", SPAWN)
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    process.communicate()  # closes its standard input
    assert process.returncode == 143
    wait_until_ended(grandchild)


def test_kill_9_of_the_flow_ends_what_it_started() -> None:
    flow = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-P', sys.argv[1], sys.executable, '-c', sys.argv[2]],"
        " stdin=subprocess.PIPE, start_new_session=True)\n"
        "p.wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", flow, str(Path(supervise.__file__)), SPAWN],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    process.kill()
    process.communicate()
    wait_until_ended(grandchild)
