"""Training stages run as processes: killed in the middle, or to see how much memory they take."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
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

_PEAK = """
import importlib, re, resource, sys
from pathlib import Path
from pipeline.core.stage import run_stage
stage, status = sys.argv[1], Path("/proc/self/status")
run_stage(stage, importlib.import_module(f"pipeline.{stage}").run)
if status.exists():  # Linux counts the parent's peak before exec into ru_maxrss
    print(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in a workspace, with this repository's code."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**chosen_environment(os.environ), "PYTHONPATH": str(REPOSITORY)},
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


def peak_of(root: Path, stage: str) -> int:
    """Run a stage in the workspace `root`; its resident set at its largest, bytes.

    The page cache does not count, but pages of a mapped file do.
    """
    done = python(root, "-c", _PEAK, stage)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)
