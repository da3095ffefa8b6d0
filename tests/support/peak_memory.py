"""How much memory a stage takes at its highest, in a process of its own."""

import sys
from pathlib import Path

from tests.support.killed_stage import python

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


def peak_of(root: Path, stage: str) -> int:
    """Run a stage in the workspace `root`; its resident set at its largest, bytes.

    The page cache does not count, but pages of a mapped file do.
    """
    done = python(root, "-c", _PEAK, stage)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)
