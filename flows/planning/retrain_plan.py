"""The order for a retraining, and the plan made of it: parameters, and the commit they come from."""

from dataclasses import dataclass, field
from pathlib import Path

from flows.execution.commit import Commit, files_left_out, newest_commit, written_files
from flows.planning.resolution import Variation, change_lines, product_file, resolved
from flows.planning.standing import KeptChange, changes_to_keep, standing_of, with_kept
from pipeline.core.errors import PipelineError
from pipeline.core.params import Params
from pipeline.release.state import ReleaseState


@dataclass(frozen=True, kw_only=True)
class Order:
    """The order for a retraining.

    Attributes:
        reason: why it runs; it goes into the record and the ledger.
        key: of a trigger: the work of one key is done once.
        branch: the newest commit of this branch is built; "" for the one that is checked out.
        working_tree: builds the files as they are in the folder, not a commit.
        commit_to: branch to which dvc.lock, metrics and decision are committed; "" for none.
        accept_champion: a person vouches for the champion: it alone is compared with, and the loss
            budget is there again.
        as_written: forgets the changes that an earlier retraining was released with.
    """

    reason: str
    variation: Variation = field(default_factory=Variation)
    key: str = ""
    branch: str = ""
    working_tree: bool = False
    commit_to: str = ""
    accept_champion: bool = False
    as_written: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a retraining.

    Attributes:
        commit: None for the files as they are in the folder.
        left_out: files of the folder that differ from the commit.
        changes: values that the files do not say, of this run or kept from the champion's.
        another: whether it is another product or profile than the folder's own.
    """

    params: Params
    commit: Commit | None
    left_out: list[str]
    changes: list[KeptChange]
    another: bool

    @property
    def source(self) -> str:
        """Says in words what is built."""
        return str(self.commit or "the files as they were in the folder")


def plan_of(root: Path, order: Order) -> Plan:
    """The plan of a retraining.

    Raises:
        PipelineError: there is no such branch, or the product file is not in its commit.
    """
    if order.working_tree:
        if order.branch or order.commit_to:
            raise PipelineError(
                "the files of the folder (--working-tree), and a branch",
                expected="a commit to build, where a branch is named",
                next_step="leave out --working-tree, or --branch and --commit-to",
            )
        return _plan(root, order, files=root, given=order.variation)
    commit = newest_commit(root, order.branch)
    with written_files(root, commit, order.variation) as (files, given):
        return _plan(root, order, files=files, given=given, commit=commit)


def _plan(
    root: Path, order: Order, *, files: Path, given: Variation, commit: Commit | None = None
) -> Plan:
    params = resolved(files, given)
    state = ReleaseState(root, params.product.name)
    kept = [] if order.as_written else standing_of(state, state.current()).changes
    changes: list[KeptChange] = []
    if kept or change_lines(files, given):
        written = resolved(files, Variation(product=str(product_file(files, given))))
        varied = with_kept(given, kept, files=files, written=written)
        changes = changes_to_keep(varied, files=files, written=written)
        params = resolved(files, varied)
    return Plan(
        params=params,
        commit=commit,
        left_out=[] if commit is None else files_left_out(root, commit),
        changes=changes,
        another=bool(given.product or given.profile),
    )
