"""Builds the product with other seeds, by its own build: cached, recorded, safe to kill."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.build import find_stale, workspace_name
from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.execution.workspace import open_workspace
from pipeline.core.errors import PipelineError
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say


@contextmanager
def built_with(root: Path, seed: int) -> Iterator[Paths]:
    """Yields the results with `compute.seed=<seed>`, built if necessary.

    Raises:
        PipelineError: the build failed, or its gate let nothing pass.
    """
    if seed == load_params(Paths(root).params).compute.seed:
        yield Paths(root)
        return
    changes = [f"compute.seed={seed}"]
    say(f"seed {seed}  built with {changes[0]}, or taken from the cache")
    command = [sys.executable, "-m", "flows", "build", "--no-release", *changes]
    if code := subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode:
        raise PipelineError(
            f"the build of seed {seed} ended with code {code}",
            expected="a release with every seed, as they are compared",
            next_step="see what it says above; --seeds without it leaves it out",
        )
    name = workspace_name(changes)
    with open_workspace(root, name=name, overrides=changes) as folder, build_lock(folder) as lock:
        if stale := find_stale(open_runner(folder, root=root, lock=lock), root=root):
            raise PipelineError(
                f"seed {seed} has stale stages after its build: {', '.join(stale)}",
                expected="sources that do not change while the benchmark runs",
                next_step="start the benchmark again: what is built is not built twice",
            )
        yield Paths(folder)
