"""The Prefect flow `retrain`: its parameters are the form in the Prefect UI."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from flows.orchestration.run_hooks import HOOKS, reason_with_missed
from flows.planning.resolution import Variation
from flows.retrain import run_retrain
from pipeline.core.progress import say


@flow(name="retrain", persist_result=False, retries=0, **HOOKS)
def retrain(
    changes: list[str] = [],  # noqa: B006 - Prefect shows this default in the form
    reason: str = "schedule",
    product: str = "",
    profile: str = "",
) -> State[Any]:
    """Snapshot the sources, build, compare with the champion; release only what is not worse.

    Args:
        changes: Any parameter, one a line: section.key=value. Empty: as in the files.
        reason: Why this run was started; it goes into the ledger.
        product: A product file, or the name of a product that has one. Empty: product.yaml.
        profile: Name of a file in profiles/. Empty: none.
    """
    varied = Variation(product=product, profile=profile, changes=changes)
    reason = reason_with_missed(reason)
    outcome = run_retrain(Path.cwd().resolve(), varied, reason=reason)
    get_run_logger().info(outcome.reason)
    page = (
        f"## {'Released' if outcome.released else 'Champion stays'}",
        outcome.reason,
        f"- Started because: {reason}",
        f"- In production now: {f'`{outcome.hash}`' if outcome.hash else 'nothing'}",
    )
    create_markdown_artifact(markdown="\n\n".join(page), key="retrain-decision")
    say(outcome.reason)
    return Completed(message=outcome.reason)
