"""Training stages run as processes, and killed in the middle."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.repository import REPOSITORY

# A stage as it is, but with a checkpoint after every so many steps, killed when a given step is done.
_KILLED = """
import importlib, os, signal, sys
from pipeline.core.stage import run_stage
from pipeline.training import loop
from pipeline.training.resume import Checkpoints

stage, last, run, every = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
save, after = Checkpoints.save, loop._Run._after

def save_some(self, *arguments, step, **named):
    if step % every == 0:
        save(self, *arguments, step=step, **named)

def after_and_die(self, step):
    after(self, step)
    if step >= last and run in str(self.training.checkpoints._folder.name):
        os.kill(os.getpid(), signal.SIGKILL)

loop._CHECKPOINT_SECONDS = -1.0
Checkpoints.save, loop._Run._after = save_some, after_and_die
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
    root: Path, stage: str, *, step: int, seed: int | None = None, every: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run a training stage that kills itself once `step` (of `seed`) is done.

    Args:
        every: steps from one checkpoint to the next.
    """
    run = "" if seed is None else f"seed-{seed}"
    return python(root, "-c", _KILLED, stage, str(step), run, str(every))
