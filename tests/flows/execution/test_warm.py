"""The warm interpreter: a stage runs in it as it would in one of its own, and ends with its shell."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from flows.execution.runner import Runner
from flows.execution.warm import SOCKET_VARIABLE, saves_time, warm_runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forking is safe on Linux only")

STAGE = """
import os, sys, time
if __name__ == "__main__":
    print("json" in sys.modules, os.getcwd(), os.environ["COLOUR"], sys.argv[0], flush=True)
    print("said", file=sys.stderr)
    if os.environ["COLOUR"] == "slow":
        time.sleep(60)
    sys.exit(3 if os.environ["COLOUR"] == "red" else 0)
"""

ENDING = """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
atexit.register(lambda: print("at the end"))
threading.Thread(target=lambda: (time.sleep(0.3), print("from a thread"))).start()
ThreadPoolExecutor(1).submit(print, "from a pool").result()
print("unfinished line", end="")
{last}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "tiny_stage.py").write_text(STAGE)
    return folder


@pytest.fixture(scope="module")
def environment(workspace: Path) -> Iterator[dict[str, str]]:
    """What stages see while a host is up that has imported one module they do not."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {**os.environ, "PATH": path}
    with (workspace / "lock").open("w") as lock:
        cold = Runner(workspace=workspace, logs=workspace, environment=own, lock=lock.fileno())
        with warm_runner(cold, libraries=["json"]) as runner:
            warm, deadline = dict(runner.environment), time.monotonic() + 30
            while not Path(warm[SOCKET_VARIABLE]).exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            yield warm
    assert not Path(warm[SOCKET_VARIABLE]).exists()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(workspace: Path, environment: dict[str, str]) -> Start:
    """Starts a command, the stage as a rule, in the shell of the host."""
    return lambda colour, command="python -m tiny_stage", **own: subprocess.Popen(
        [environment["SHELL"], "-c", command],
        cwd=workspace,
        env={**environment, "COLOUR": colour, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("colour", "code"), [("green", 0), ("red", 3)])
def test_a_stage_has_the_shells_folder_environment_streams_and_exit_code(
    workspace: Path, start: Start, colour: str, code: int
) -> None:
    process = start(colour)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out.split()[:4] == ["True", str(workspace), colour, str(workspace / "tiny_stage.py")]
    assert err == "said\n"


@pytest.mark.parametrize(
    ("last", "code", "error"),
    [
        ("", 0, ""),
        ("raise SystemExit('no room')", 1, "no room"),
        ("raise ValueError('not finite')", 1, "Traceback"),
    ],
)
def test_what_a_stage_left_for_its_end_is_done_as_in_an_interpreter_of_its_own(
    workspace: Path, start: Start, last: str, code: int, error: str
) -> None:
    (workspace / "ending.py").write_text(ENDING.format(last=last))
    ends = []
    for own in ({}, {SOCKET_VARIABLE: "/nobody"}):
        process = start("green", "python -m ending", **own)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code
        assert error in err
        ends.append([line for line in out.splitlines() if "peak memory" not in line])
    warm, cold = ends
    assert warm == cold == ["from a pool", "unfinished linefrom a thread", "at the end"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stage_ends_with_its_shell(
    environment: dict[str, str], start: Start, number: signal.Signals
) -> None:
    process = start("slow")
    assert process.stdout is not None
    process.stdout.readline()
    stage = _stages(environment)
    assert len(stage) == 1
    process.send_signal(number)
    process.communicate(timeout=30)
    _, alive = psutil.wait_procs(stage, timeout=10)
    assert not alive
    # The host is there for the next stage.
    after = start("green")
    after.communicate(timeout=30)
    assert after.returncode == 0


def test_an_environment_of_a_thousand_variables_reaches_the_stage(start: Start) -> None:
    """As in a cluster that describes each of its services to every container."""
    many = {f"SERVICE_{number}": "x" * 400 for number in range(1500)}
    process = start("green", **many)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out.split()[:1]) == (0, ["True"]), err


def test_stages_run_side_by_side(start: Start) -> None:
    slow = start("slow")
    assert slow.stdout is not None
    slow.stdout.readline()
    quick = start("red")
    out, _ = quick.communicate(timeout=30)
    assert (quick.returncode, out.split()[0]) == (3, "True")
    assert slow.poll() is None
    slow.terminate()
    slow.communicate(timeout=30)


def test_the_peak_memory_of_a_stage_that_fails_is_told(start: Start) -> None:
    out, _ = start("red").communicate(timeout=30)
    assert re.search(r"^peak memory \d+ MB$", out, re.MULTILINE)
    assert "peak" not in start("green").communicate(timeout=30)[0]


def _stages(environment: dict[str, str]) -> list[psutil.Process]:
    """Children of the host whose socket the environment names; its supervisor is no host."""
    hosts = [
        process
        for process in psutil.process_iter(["cmdline"])
        if environment[SOCKET_VARIABLE] in (process.info["cmdline"] or [])
        and "supervise" not in str(process.info["cmdline"])
    ]
    return [process for process in hosts if process.ppid() in {host.pid for host in hosts}]


def test_without_a_host_and_for_other_commands_the_system_shell_runs(start: Start) -> None:
    alone, _ = start("blue", **{SOCKET_VARIABLE: "/nobody"}).communicate(timeout=30)
    assert alone.split()[2] == "blue"
    answer, _ = start("blue", "echo $((1 + 1))").communicate(timeout=30)
    assert answer == "2\n"


def test_one_heavy_stage_alone_does_not_pay() -> None:
    assert saves_time(["pretrain", "finetune"])
    assert not saves_time(["quantize", "evaluate", "gate"])
