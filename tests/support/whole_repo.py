"""A copy of this repository as a person would clone it, with the changes not yet committed.

Its product is the one that tests are written for (tests/support/repository.py), not the user's.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from flows.execution.network import free_port
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.files import read_json, sha256_file
from pipeline.release.state import all_states
from tests.support.prefect_database import put_database
from tests.support.repository import PARAMS, PRODUCT, QUICKSTART, REPOSITORY

BUILD = [sys.executable, "-u", "-m", "flows", "build", "--profile", "quickstart"]


def copy_repository(root: Path) -> Path:
    """Copy every tracked or new file but the user's data into `root`, a git repository with one commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        env=chosen_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        users = name.startswith(("data/", "annotations/", "splits/")) and not name.endswith(
            "/.gitkeep"
        )
        users = users or name == "product.yaml"
        if (source := REPOSITORY / name).is_file() and name != "dvc.lock" and not users:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    for frozen, place in (
        (PARAMS, "params.yaml"),
        (PRODUCT, "products/movie-reviews.yaml"),
        (QUICKSTART, "profiles/quickstart.yaml"),
    ):
        shutil.copyfile(frozen, root / place)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "copy"]):
        subprocess.run(["git", *command], cwd=root, env=chosen_environment(os.environ), check=True)
    return root


def environment(port: int) -> dict[str, str]:
    """What a person's shell has, and a port of our own."""
    return chosen_environment(os.environ) | {"MODELYARD_PORT": str(port)}


def run_build(root: Path, *, port: int) -> str:
    """Run the quickstart build to its end; returns what it printed.

    Raises:
        AssertionError: it failed.
    """
    done = subprocess.run(
        BUILD, cwd=root, env=environment(port), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kill_build_during(root: Path, stage: str, *, port: int) -> None:
    """Start the build, kill -9 the flow as soon as `stage` works, and see that all of it ends."""
    log = root / ".modelyard" / f"killed-{stage}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as stream:
        flow = subprocess.Popen(
            BUILD, cwd=root, env=environment(port), stdout=stream, stderr=stream
        )
    while f"{stage}  started" not in log.read_text():
        assert flow.poll() is None, log.read_text()
        time.sleep(0.05)
    time.sleep(1.0)
    flow.send_signal(signal.SIGKILL)
    flow.wait()
    deadline = time.monotonic() + 60
    while alive := processes_in(root):
        assert time.monotonic() < deadline, [" ".join(process.cmdline()) for process in alive]
        time.sleep(0.1)


def build_with_kills(stages: Sequence[str], root: Path, *, database: Path) -> None:
    """Kill the build of the clone in `root` in each of `stages` in turn, then run it to its end."""
    put_database(database, root)
    port = free_port()
    for stage in stages:
        kill_build_during(root, stage, port=port)
    run_build(root, port=port)


def copy_cache(source: Path, root: Path, *, without: Sequence[str]) -> None:
    """Copy DVC's cache and the splits from one clone to another, but not what the cache knows of some stages."""
    shutil.copytree(source / ".dvc" / "cache", root / ".dvc" / "cache")
    shutil.copytree(source / "splits", root / "splits", dirs_exist_ok=True)
    for remembered in [*(root / ".dvc" / "cache" / "runs").glob("*/*/*")]:
        command, _, _ = remembered.read_text(encoding="utf-8").partition("\n")
        if command.rpartition(".")[2] in without:
            shutil.rmtree(remembered.parent)  # DVC cannot read an empty one


def released(root: Path) -> Path:
    """The bundle that a clone serves."""
    [state] = all_states(root)
    return state.release(str(state.current()))


def description(root: Path) -> dict[str, Any]:
    """The `bundle.json` of what a clone serves."""
    bundle: dict[str, Any] = read_json(released(root) / "bundle.json")
    return bundle


def result_of(root: Path) -> tuple[dict[str, Any], str]:
    """What a build came to: the quality of what it released, and the hash of the model."""
    return description(root)["quality"], sha256_file(released(root) / "model.onnx")


def processes_in(root: Path) -> list[psutil.Process]:
    """Live processes that work below `root`, the model server not counted."""
    found = []
    for process in psutil.process_iter():
        try:
            below = Path(process.cwd()).is_relative_to(root)
            serves = any("pipeline.serving" in part for part in process.cmdline())
            if below and not serves and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def stop(root: Path) -> None:
    """End the server that a build started."""
    subprocess.run(
        [sys.executable, "-m", "flows", "stop"],
        cwd=root,
        env=chosen_environment(os.environ),
        check=True,
        capture_output=True,
    )
