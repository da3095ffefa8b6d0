"""The Prefect flow `release`: its form has one field, its steps are tasks.

It is not in flows/release.py, which `modelyard build` imports before anything heavy.
"""

from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.orchestration.run_hooks import HOOKS
from flows.release import DEFAULT_BUNDLE, release_bundle


@flow(name="release", persist_result=False, **HOOKS)
def release(bundle: str = DEFAULT_BUNDLE) -> State[None]:
    """Start, verify and promote a bundle, then register it; on a failure, the former one serves.

    Args:
        bundle: folder of the bundle, from the project's folder.
    """
    result = release_bundle(
        root=Path.cwd(), bundle=Path(bundle), mlflow_run_id=None, why="asked for in Prefect"
    )
    return Completed(message=f"{result.name}: {result.outcome} at {result.address}/")
