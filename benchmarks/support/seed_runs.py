"""Builds the demonstration product with other seeds: cached, recorded, safe to kill."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.support.demonstration import demonstration, demonstration_with
from flows.build import find_stale
from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.execution.workspace import workspace_for
from flows.planning.resolution import resolved
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say


@contextmanager
def built_with(root: Path, seed: int) -> Iterator[Paths]:
    """Yields the results with `compute.seed=<seed>`, built if necessary.

    Raises:
        PipelineError: the build failed, or its gate let nothing pass.
    """
    if seed == resolved(root, demonstration_with(root)).compute.seed:
        with demonstration(root) as folder:
            yield Paths(folder)
        return
    other = demonstration_with(root, [f"compute.seed={seed}"])
    say(f"seed {seed}  built with {other.changes[0]}, or taken from the cache")
    named = ["--product", other.product] if other.product else []
    command = [sys.executable, "-m", "flows", "build", "--no-release", *named, *other.changes]
    if code := subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode:
        raise PipelineError(
            f"the build of seed {seed} ended with code {code}",
            expected="a release with every seed, as they are compared",
            next_step="see what it says above; --seeds without it leaves it out",
        )
    with workspace_for(root, other) as folder, build_lock(folder) as lock:
        if stale := find_stale(open_runner(folder, root=root, lock=lock), root=root):
            raise PipelineError(
                f"seed {seed} has stale stages after its build: {', '.join(stale)}",
                expected="sources that do not change while the benchmark runs",
                next_step="start the benchmark again: what is built is not built twice",
            )
        yield Paths(folder)
