"""Mends what a kill left behind; called at the start of build, retrain, ui and serve.

Each part asks the module that owns the matter. Small files say whether there is anything to mend: where
there is not, that takes milliseconds, and neither Prefect nor MLflow is imported. What cannot be mended
now is told, and stops nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from flows.execution.workspace import prune_worktrees
from flows.orchestration.prefect_server import running_server
from flows.orchestration.run_notes import killed_runs, mend_runs
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.release import ledger
from pipeline.release.state import all_states


def reconcile(root: Path) -> None:
    """Ends what ended processes left unfinished, and says in a line each what that was."""
    for part in (_worktrees, _releases, _runs):
        try:
            for line in part(root):
                say(f"mended  {line}")
        except (PipelineError, OSError) as error:
            told = error.got if isinstance(error, PipelineError) else error
            say(f"not mended now  {told}")


def _worktrees(root: Path) -> Iterator[str]:
    """Removes worktrees that no build has any more."""
    folder = Paths(root).state / "worktrees"
    before = {path.name for path in folder.glob("*/")}
    prune_worktrees(root)
    for name in sorted(before - {path.name for path in folder.glob("*/")}):
        yield f"the worktree {name} of a build that was killed is removed"


def _releases(root: Path) -> Iterator[str]:
    """Finishes or undoes releases that were cut short."""
    for state in all_states(root):
        if state.journal.exists() or ledger.unfinished(state.ledger) is not None:
            # Late: it imports what starts servers.
            from pipeline.release.repair import repair

            with state.lock():
                undone = repair(state)
            yield f"a release of {state.product} that was killed is {'undone' if undone else 'ended'}"


def _runs(root: Path) -> Iterator[str]:
    """Tells Prefect of runs that were killed, where its server runs; else a build's own is told."""
    if killed_runs(root) and (api := running_server(root)) is not None:
        mend_runs(root, api)
    yield from ()
