"""Whatever way the flow dies, what it started dies too."""

import subprocess
import sys
import time

import pytest

from flows.execution import supervise
from pipeline.release.server_process import is_alive

SUPERVISE = ("-P", str(supervise.__file__), sys.executable)
SPAWN = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
    " start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
FLOW = (
    "import subprocess, sys\n"
    "subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE).wait()"
)


def start(*command: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *command], stdin=pipe, stdout=pipe, text=True)


def test_the_exit_code_of_the_command_is_passed_on() -> None:
    process = start(*SUPERVISE, "-c", "import sys; sys.exit(7)")
    assert process.wait(timeout=60) == 7
    process.communicate()


@pytest.mark.parametrize(
    ("command", "killed", "code"),
    [((*SUPERVISE, "-c", SPAWN), False, 143), (("-c", FLOW, *SUPERVISE, "-c", SPAWN), True, -9)],
    ids=["its pipe is closed", "kill -9"],
)
def test_the_end_of_a_flow_ends_even_a_grandchild_in_a_session_of_its_own(
    command: tuple[str, ...], killed: bool, code: int
) -> None:
    process = start(*command)
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    if killed:
        process.kill()
    process.communicate()  # closes its standard input
    assert process.returncode == code
    while is_alive(grandchild):  # the time limit of the test ends a wait in vain
        time.sleep(0.05)
