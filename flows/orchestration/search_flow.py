"""The Prefect flow `compress_search`: its parameters are the form in the Prefect UI."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.console.trials import best
from flows.execution.runner import StageFailedError
from flows.orchestration.run_hooks import HOOKS
from flows.planning.resolution import Variation
from flows.search import run_search
from pipeline.core.progress import say


@flow(name="compress_search", persist_result=False, retries=0, **HOOKS)
def compress_search(
    changes: list[str] = [],  # noqa: B006 - Prefect shows this default in the form
    product: str = "",
    profile: str = "",
) -> State[Any]:
    """Try recipes of compression until one meets the product's requirements or the budget is spent.

    Args:
        changes: Any parameter that all recipes share, one a line: section.key=value.
        product: A product file, or the name of a product that has one. Empty: product.yaml.
        profile: Name of a file in profiles/. Empty: none.
    """
    varied = Variation(product=product, profile=profile, changes=changes)
    try:
        trials = run_search(Path.cwd().resolve(), varied)
    except StageFailedError as error:
        if not error.is_answer:
            raise
        told = f"{error.how}: {error.failure.got}"
        say(f"\nThe search {told}.\n{error.failure.next_step}")
        return Completed(message=told)
    found = best(trials)
    number = found.number if found else "-"
    return Completed(message=f"{len(trials)} recipes tried; trial {number} passed")
