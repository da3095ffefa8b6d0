"""How many rows need a label: what the last build found, counted with those that had one."""

from pathlib import Path
from typing import Any

import pytest

from flows.execution.rows_to_label import annotation_folder, goal_of, keep_rows
from pipeline.annotation.label_goal import LabelGoal, goal_of_build
from pipeline.core.paths import Paths
from tests.support.built_goal import built
from tests.support.labelling import PRODUCT

GOALS: dict[str, tuple[dict[str, Any], LabelGoal | None]] = {
    "an interval": ({"more_labels": 600}, LabelGoal(needed=900, low=700, high=1300)),
    "no upper end": ({"at_most": None}, LabelGoal(needed=900, low=700, high=None)),
    "no labels do": ({"more_labels": None, "at_least": None, "at_most": None}, None),
    "too few rows to tell": ({"none": True}, None),
}


@pytest.mark.parametrize(("outlook", "expected"), GOALS.values(), ids=GOALS)
def test_the_goal_is_what_the_build_had_and_what_it_asked_for(
    tmp_path: Path, outlook: dict[str, Any], expected: LabelGoal | None
) -> None:
    assert goal_of(built(tmp_path, **outlook), PRODUCT) == expected


@pytest.mark.parametrize("missing", ["baseline/verdict.json", "label/metrics.json"])
def test_a_build_that_did_not_come_so_far_has_no_goal(tmp_path: Path, missing: str) -> None:
    (built(tmp_path) / "artifacts" / missing).unlink()
    assert goal_of(tmp_path, PRODUCT) is None


def test_the_goal_of_a_build_elsewhere_is_kept_and_forgotten_with_the_next(tmp_path: Path) -> None:
    workspace = built(tmp_path / PRODUCT)
    root = tmp_path / "root"
    keep_rows(workspace, root)
    assert goal_of(root, PRODUCT) == goal_of_build(Paths(workspace))
    assert goal_of(root, PRODUCT) is not None
    (workspace / "artifacts/baseline/verdict.json").unlink()
    keep_rows(workspace, root)
    assert goal_of(root, PRODUCT) is None
    assert not [*annotation_folder(root, PRODUCT).glob("*.json")]
