"""One stage, run by hand in the environment that a build gives it.

    modelyard stage prune               # by DVC, as in a build: skipped where it is up to date
    modelyard stage prune --force       # by DVC, in any case
    modelyard stage prune --plain       # only `python -m pipeline.prune`: for a debugger

Without `--plain` DVC records the result, and a stage that fails leaves its earlier outputs.
With it DVC knows nothing: the next build sees other outputs and runs the stage again, or restores
them.
"""

import subprocess
import sys
from pathlib import Path

from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.planning.codelock import refresh_code_lock
from flows.planning.dag import load_dag
from flows.planning.machine import refresh_machine
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say


def run_by_hand(root: Path, stage: str, *, force: bool, plain: bool) -> None:
    """Runs one stage in this folder; the stages before it must be up to date."""
    names = load_dag(Paths(root).dag).names
    if stage not in names:
        raise ParameterError(
            f"no stage {stage!r}",
            expected=f"one of: {', '.join(names)}",
            next_step="name one of these",
        )
    with build_lock(root) as lock:
        refresh_code_lock(root)
        refresh_machine(root)
        runner = open_runner(root, root=root, lock=lock)
        if not plain:
            if runner.run(stage, say, force=force).state == "cached":
                say(f"{stage}  up to date: nothing to do (--force runs it in any case)")
            return
        command = [sys.executable, "-m", f"pipeline.{stage}"]
        say(f"$ python -m pipeline.{stage}    (plainly: DVC does not record what this leaves)")
        code = subprocess.run(command, cwd=root, env=runner.environment, check=False).returncode
    if code:
        raise PipelineError(
            f"python -m pipeline.{stage} ended with exit code {code}",
            expected="0",
            next_step="see its own message above",
        )
