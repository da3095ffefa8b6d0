"""One stage, run by hand in the environment that a build gives it.

    modelyard stage prune               # by DVC, as in a build: skipped where it is up to date
    modelyard stage prune --force       # by DVC, in any case
    modelyard stage prune --plain       # only `python -m pipeline.prune`: for a debugger
    modelyard stage prune --product F   # of another product, from its last build

Without `--plain` DVC records the result, and a stage that fails leaves its earlier outputs.
With it DVC knows nothing: the next build sees other outputs and runs the stage again, or restores
them. Either way it waits while a build anywhere does the same work.
"""

import subprocess
import sys
from pathlib import Path

from flows.execution.locks import build_lock
from flows.execution.runner import Runner, open_runner
from flows.execution.single_flight import single_flight
from flows.execution.workspace import keep_results, last_build
from flows.planning.codelock import refresh_code_lock
from flows.planning.dag import load_dag
from flows.planning.machine import refresh_machine
from flows.planning.resolution import PLAIN, Variation, refresh_build_file
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say


def run_by_hand(
    root: Path, stage: str, *, force: bool, plain: bool, variation: Variation = PLAIN
) -> None:
    """Runs one stage; the stages before it must be up to date.

    Args:
        variation: another product's stage runs in a worktree, on what its last build left.
    """
    names = load_dag(Paths(root).dag).names
    if stage not in names:
        raise ParameterError(
            f"no stage {stage!r}",
            expected=f"one of: {', '.join(names)}",
            next_step="name one of these",
        )
    if plain and not variation.is_plain:
        raise ParameterError(
            "--plain and --product",
            expected="one of them: a worktree is removed, with all that DVC does not record",
            next_step="leave --plain out, or write the product into product.yaml",
        )
    with last_build(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace == root:
            refresh_build_file(root)
        refresh_code_lock(workspace)
        refresh_machine(workspace)
        runner = open_runner(workspace, root=root, lock=lock)
        if plain:
            _run_plainly(runner, stage)
            return
        if workspace != root:
            runner.checkout()
        if runner.run(stage, say, force=force).state == "cached":
            say(f"{stage}  up to date: nothing to do (--force runs it in any case)")
        if workspace != root:
            keep_results(root, workspace)


def _run_plainly(runner: Runner, stage: str) -> None:
    command = [sys.executable, "-m", f"pipeline.{stage}"]
    say(f"$ python -m pipeline.{stage}    (plainly: DVC does not record what this leaves)")
    # It prints on the terminal itself, in the terminal's encoding.
    shown = {"PYTHONIOENCODING": f"{sys.stdout.encoding or 'utf-8'}:backslashreplace"}
    folder, environment = runner.workspace, {**runner.environment, **shown}
    with single_flight(folder, stage, listen=say) as flight:
        code = subprocess.run(
            command, cwd=folder, env=environment, check=False, pass_fds=(flight,)
        ).returncode
    if code:
        raise PipelineError(
            f"python -m pipeline.{stage} ended with exit code {code}",
            expected="0",
            next_step="see its own message above",
        )
