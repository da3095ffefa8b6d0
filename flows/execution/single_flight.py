"""Runs the same work once: builds in all worktrees share a lock for each stage and input key.

Two builds with the same training would both train, in one folder of checkpoints, which the first to
end removes. So the second waits, and then DVC finds the first one's outputs in its cache.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.execution.dvc_cache import mend_run_cache
from pipeline.core.file_lock import Holder, waited_lock
from pipeline.core.paths import Paths
from pipeline.core.stage import input_key, stage_definition

_TOLD_SECONDS = 10.0


@contextmanager
def single_flight(workspace: Path, stage: str, *, listen: Callable[[str], None]) -> Iterator[int]:
    """Holds the lock of this stage with this input; yields the descriptor that supervisors inherit.

    Where another build does the same work, it waits, and says so every ten seconds.
    """
    paths = Paths(workspace, stage)
    key = input_key(paths, stage_definition(paths, stage))
    lock, told = paths.stage_locks / f"{stage}-{key}.lock", 0.0

    def waiting(holder: Holder, seconds: float) -> None:
        nonlocal told
        if seconds >= told:
            listen(f"{stage}  waits for the same work, which runs already: {holder}")
            told += _TOLD_SECONDS

    with waited_lock(lock, what=f"a build in {workspace}", waiting=waiting) as descriptor:
        mend_run_cache(workspace)
        try:
            yield descriptor
        finally:
            lock.unlink(missing_ok=True)  # who waits for it takes a new file
