"""Tells how many rows need a label until the product's `min_quality` is reached, as the last build found."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core.artifacts.data_reports import BaselineVerdict
from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.typed_json import MismatchError, read_as

GOAL_FILE = "goal.json"
"""Name of the file that keeps the goal of a product whose build was in a worktree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelGoal:
    """How many rows need a label, over all splits; rows that had one at the build are counted.

    Attributes:
        needed: the likeliest number.
        low: lower end of its 90 % interval.
        high: upper end; None where there is no end.
    """

    needed: int
    low: int
    high: int | None

    def as_json(self) -> dict[str, Any]:
        """The goal as the API has it."""
        return asdict(self)


def label_goal(verdict: BaselineVerdict, *, labelled: int) -> LabelGoal | None:
    """The goal that a build found; None where no number of labels is known to do.

    Args:
        labelled: rows that had a label in that build.
    """
    outlook = verdict.outlook
    if outlook is None or outlook.more_labels is None:
        return None
    low = outlook.at_least if outlook.at_least is not None else outlook.more_labels
    high = None if outlook.at_most is None else labelled + outlook.at_most
    return LabelGoal(needed=labelled + outlook.more_labels, low=labelled + low, high=high)


def goal_of_build(paths: Paths) -> LabelGoal | None:
    """The goal that the last build of a workspace found; None where it did not come so far."""
    try:
        verdict = BaselineVerdict.read(paths)
        labelled = int(read_json(paths.output("label") / "metrics.json")["rows"])
    except (ArtifactError, KeyError, TypeError, ValueError):
        return None
    return label_goal(verdict, labelled=labelled)


def keep_goal(folder: Path, goal: LabelGoal | None) -> None:
    """Writes the goal to the folder of a product's answers; without a goal, removes what is there."""
    if goal is None:
        (folder / GOAL_FILE).unlink(missing_ok=True)
    else:
        write_json(folder / GOAL_FILE, goal.as_json())


def kept_goal(folder: Path) -> LabelGoal | None:
    """The goal that `keep_goal` wrote; None where it wrote none."""
    try:
        return read_as(LabelGoal, read_json(folder / GOAL_FILE))
    except (ArtifactError, MismatchError):
        return None
