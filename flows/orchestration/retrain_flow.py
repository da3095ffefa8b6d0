"""The Prefect flow `retrain`: its parameters are the form in the Prefect UI."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.orchestration.run_hooks import HOOKS, reason_with_missed
from flows.planning.resolution import Variation
from flows.planning.retrain_plan import Order
from flows.retrain import Outcome, run_retrain
from flows.tracking.recorder import current_recorder
from flows.tracking.runs import in_one_line
from pipeline.core.progress import say

_TITLES = {
    "released": "Released",
    "kept": "Champion stays",
    "unchanged": "Nothing changed",
    "labels needed": "Labels are needed, champion stays",
    "cannot be told": "The texts do not tell the labels, champion stays",
    "done before": "Done before",
}


@flow(name="retrain", persist_result=False, retries=0, **HOOKS)
def retrain(
    changes: list[str] = [],  # noqa: B006 - Prefect shows this default in the form
    reason: str = "schedule",
    product: str = "",
    profile: str = "",
    branch: str = "",
    commit_to: str = "",
    key: str = "",
    working_tree: bool = False,
    accept_champion: bool = False,
    as_written: bool = False,
) -> State[Any]:
    """Build a commit from the data of now, compare; release only what is not worse.

    Args:
        changes: Any parameter, one a line: section.key=value. Empty: as in the files.
        reason: Why this run was started; it goes into the record and the ledger.
        product: A product file, or the name of a product that has one. Empty: product.yaml.
        profile: Name of a file in profiles/. Empty: none.
        branch: Its newest commit is built. Empty: the branch that is checked out.
        commit_to: Branch to which dvc.lock, metrics and the decision are committed. Empty: none.
        key: Of a trigger: the work of one key is done once.
        working_tree: Build the files as they are in the folder, committed or not.
        accept_champion: You vouch for the champion: compare with it alone; renews the loss budget.
        as_written: Forget changes that an earlier retraining was released with.
    """
    reason = reason_with_missed(reason)
    order = Order(
        variation=Variation(product=product, profile=profile, changes=changes),
        reason=reason,
        key=key,
        branch=branch,
        working_tree=working_tree,
        commit_to=commit_to,
        accept_champion=accept_champion,
        as_written=as_written,
    )
    try:
        outcome = run_retrain(Path.cwd().resolve(), order)
    except Exception as error:
        _publish("Failed, champion stays", in_one_line(error), f"- Started because: {reason}")
        raise
    _publish(_TITLES[outcome.ending], outcome.reason, *_facts(outcome, reason))
    say(outcome.reason)
    return Completed(message=outcome.reason)


def _facts(outcome: Outcome, reason: str) -> list[str]:
    """Returns what the artifact says beside the reason of the end."""
    now = f"`{outcome.hash}`" if outcome.hash else "nothing"
    facts = [f"- Started because: {reason}", f"- In production now: {now}"]
    return [*facts, f"- Results: commit `{outcome.results}`"] if outcome.results else facts


def _publish(*paragraphs: str) -> None:
    page = "\n\n".join([f"## {paragraphs[0]}", *paragraphs[1:]])
    current_recorder().page("retrain-decision", page)
