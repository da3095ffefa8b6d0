"""The Prefect flow `build`: its parameters are the form in the Prefect UI.

Every field may be left empty: empty means "as in the files when the run starts". A run in which
anything varies happens in a worktree of its own and never edits a file of yours.
"""

from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows.build import build_title, run_build
from flows.planning.resolution import Variation

Epochs = Annotated[int, Field(ge=1, le=100)]
Share = Annotated[float, Field(gt=0, le=1)]


class CommonChanges(BaseModel):
    """The parameters that are changed most often. Empty: as in the files."""

    model_config = ConfigDict(extra="forbid")

    pretrain_epochs: Epochs | None = Field(
        None, title="pretrain.epochs", description="Passes over the corpus (student's encoder)"
    )
    finetune_epochs: Epochs | None = Field(
        None, title="finetune.epochs", description="Passes over the labelled rows (teacher)"
    )
    distill_epochs: Epochs | None = Field(
        None, title="distill.epochs", description="Passes over the transfer set (student)"
    )
    prune_keep_share: Share | None = Field(
        None, title="prune.keep_share", description="Share of units, or of weights, to keep"
    )
    product_requirements_min_quality: Share | None = Field(
        None, title="product.requirements.min_quality", description="Least quality on validation"
    )

    def lines(self) -> list[str]:
        """The changes as `section.key=value` lines."""
        names = type(self).model_fields
        return [
            f"{names[name].title}={value}"
            for name, value in self.model_dump().items()
            if value is not None
        ]


def _run_name() -> str:
    """Name of a run in the Prefect UI: what varies."""
    given = flow_run.parameters
    common = CommonChanges.model_validate(given.get("common") or {})
    changes = [*common.lines(), *given.get("changes", [])]
    product, profile = given.get("product", ""), given.get("profile", "")
    return build_title(Variation(product=product, profile=profile, changes=changes))


@flow(name="build", flow_run_name=_run_name, persist_result=False, retries=0)
def build(
    changes: list[str] = [],  # noqa: B006 - Prefect shows this default in the form
    common: CommonChanges = CommonChanges(),  # noqa: B008 - as above; it is never changed
    release: bool = False,
    product: str = "",
    profile: str = "",
) -> State[Any]:
    """Raw text to a bundle that passed the gate; only stages that are stale run.

    Args:
        changes: Any parameter, one a line: section.key=value, for example finetune.epochs=1.
        common: The parameters that are changed most often; empty ones stay as in the files.
        release: Release the new model when it meets the requirements.
        product: A product file, or the name of a product that has one. Empty: product.yaml.
        profile: Name of a file in profiles/. Empty: none.
    """
    lines = [*common.lines(), *changes]
    varied = Variation(product=product, profile=profile, changes=lines)
    result = run_build(Path.cwd(), varied, release=release)
    ran = sum(stage.state == "ran" for stage in result.stages)
    told = f"{ran} of {len(result.stages)} stages ran; {result.verdict.released} passed"
    return Completed(message=told)
