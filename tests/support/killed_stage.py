"""Training stages run as processes, and killed in the middle."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.tiny_workspace import REPOSITORY

# A stage as it is, but with a checkpoint after every step, killed when the given one is written.
_KILLED = """
import importlib, os, signal, sys
from pipeline.core.stage import run_stage
from pipeline.training import loop
from pipeline.training.checkpoint import Checkpoints

stage, last, run = sys.argv[1], int(sys.argv[2]), sys.argv[3]
save = Checkpoints.save

def save_and_die(self, *arguments, step, **named):
    save(self, *arguments, step=step, **named)
    if step >= last and run in str(self._folder.name):
        os.kill(os.getpid(), signal.SIGKILL)

loop._CHECKPOINT_SECONDS = -1.0
Checkpoints.save = save_and_die
run_stage(stage, importlib.import_module(f"pipeline.{stage}").run)
"""


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in a workspace, with this repository's code."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def run_killed(
    root: Path, stage: str, *, step: int, seed: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a training stage that kills itself once the checkpoint of `step` (of `seed`) is written."""
    run = "" if seed is None else f"seed-{seed}"
    return python(root, "-c", _KILLED, stage, str(step), run)
