"""Releases of tiny bundles in processes of their own, watched or killed at a durable write."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.execution.network import free_port
from pipeline.core.process_identity import is_running
from pipeline.release import ledger
from pipeline.release.chain import faults
from pipeline.release.registry_note import RegistryNote
from pipeline.release.requests import served_hash
from pipeline.release.rollout import ReleaseRequest, ReleaseResult, Rollout
from pipeline.release.server_process import running_server
from pipeline.release.state import ReleaseState
from tests.support.repository import REPOSITORY

PRODUCT = "tiny-sentiment"
_SCRIPT = Path(__file__).with_name("watched_release.py")


def without_mlflow(name: str, work: Callable[[], Any]) -> Any:
    """Runs a step of a release, but for that of the registry, which takes seconds."""
    return RegistryNote() if name == "register" else work()


def released(
    state: ReleaseState, bundle: Path, *, mlflow: bool = False, **options: Any
) -> ReleaseResult:
    """Releases a bundle on a free port."""
    request = {"why": "a test", "port": free_port(), **options}
    steps = {} if mlflow else {"run_step": without_mlflow}
    return Rollout(state.root, state.product, **steps).release(
        ReleaseRequest(bundle=bundle, **request)
    )


def rolled_back(state: ReleaseState, beginning: str = "") -> ReleaseResult:
    """Rolls back, on a free port if no server runs."""
    return Rollout(state.root, state.product).roll_back(beginning, why="a test", port=free_port())


@dataclass(frozen=True)
class Watched:
    """A command that ended: its exit code, the writes it made, and what it wrote outside them."""

    code: int
    writes: list[str]
    outside: list[str]
    errors: str


def watched(
    state: ReleaseState, *command: str, kill: str = "nobody", at: str = "", mlflow: str = "left out"
) -> Watched:
    """Runs `release FOLDER`, `rollback`, `serve` or `repair` in a process that watches its writes.

    Args:
        kill: whom to kill by SIGKILL: `nobody`, `command` or `server`.
        at: the moment, as `Watched.writes` has it: `pointer, after, 1` is after the first such write.
        mlflow: `left out`, `as it is`, or `absent`: its import fails.
    """
    words = [str(state.root), kill, at, mlflow, str(free_port()), *command]
    ended = subprocess.run(
        [sys.executable, str(_SCRIPT), *words],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    seen = [json.loads(line) for line in found]
    return Watched(
        code=ended.returncode,
        writes=[line["write"] for line in seen if "write" in line],
        outside=[line["outside"] for line in seen if "outside" in line],
        errors=ended.stderr,
    )


def assert_truthful(state: ReleaseState) -> None:
    """Checks that pointer, server and ledger say the same, and that each promotion has one end."""
    server = running_server(state)
    assert server is not None
    assert is_running(server.process)
    assert served_hash(server.address) == state.current() is not None
    assert faults(state) == []
    assert ledger.unfinished(state.ledger) is None
    entries = ledger.read(state.ledger)
    begun = [entry.promotion for entry in entries if entry.event == "promoting"]
    ended = [entry.promotion for entry in entries if entry.event in ledger.ENDS]
    assert begun == ended
    last = [entry for entry in entries if entry.event in (*ledger.ENDS, "started", "already")][-1]
    assert last.hash == state.current()
