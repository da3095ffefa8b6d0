"""The Prefect flow `build`: its parameters are the form in the Prefect UI.

Every field may be left empty: empty means "as in the files when the run starts". A run in which
anything varies happens in a worktree of its own and never edits a file of yours.
"""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.build import run_build
from flows.execution.runner import StageFailedError
from flows.orchestration.form import ParametersForm
from flows.orchestration.run_hooks import HOOKS
from flows.planning.resolution import Variation
from pipeline.core.progress import say


@flow(name="build", persist_result=False, retries=0, **HOOKS)
def build(
    product: str = "",
    profile: str = "",
    release: bool = False,
    changes: list[str] = [],  # noqa: B006 - Prefect shows this default in the form
    parameters: ParametersForm = ParametersForm(),  # noqa: B008 - as above; it is never changed
) -> State[Any]:
    """Raw text to a bundle that passed the gate; only stages that are stale run.

    Args:
        product: A product file, or the name of a product that has one. Empty: product.yaml.
        profile: Name of a file in profiles/. Empty: none.
        release: Release the new model when it meets the requirements.
        changes: Any parameter, one a line: section.key=value, for example finetune.epochs=1.
        parameters: Every parameter, by section; empty ones stay as in the files.
    """
    lines = [*parameters.lines(), *changes]
    varied = Variation(product=product, profile=profile, changes=lines)
    try:
        result = run_build(Path.cwd(), varied, release=release)
    except StageFailedError as error:
        if not error.is_answer:
            raise
        told = f"{error.how}: {error.failure.got}"
        say(f"\nThe build {told}.\n{error.failure.next_step}")
        return Completed(message=told)
    ran = sum(stage.state == "ran" for stage in result.stages)
    told = f"{ran} of {len(result.stages)} stages ran; {result.verdict.released} passed"
    return Completed(message=told)
