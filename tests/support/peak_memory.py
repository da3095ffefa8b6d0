"""How much memory a stage takes at its highest, in a process of its own."""

import sys
from pathlib import Path

from tests.support.killed_stage import python

_PEAK = """
import importlib, resource, sys
from pipeline.core.stage import run_stage
stage = sys.argv[1]
run_stage(stage, importlib.import_module(f"pipeline.{stage}").run)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_of(root: Path, stage: str) -> int:
    """Run a stage in the workspace `root`; its resident set at its largest, bytes.

    The page cache does not count, but pages of a mapped file do.
    """
    done = python(root, "-c", _PEAK, stage)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)
