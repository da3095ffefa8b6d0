"""Every table outside pipeline/problem that has an entry a problem has all of them."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from pipeline.models.linear import LINEAR_MODELS
from pipeline.problem.problems import PROBLEMS
from pipeline.report.answer_plots import PICTURES
from pipeline.training.objectives.by_problem import LOSSES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pipeline/serving/static/answers.js"


def panels() -> list[str]:
    """The names in the table `PANELS` of the demo page."""
    found = re.search(r"^const PANELS = \{\n(.*?)^\};", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return re.findall(r"^  (\w+): \{$", found.group(1), re.MULTILINE)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("losses", LOSSES),
        ("linear models", LINEAR_MODELS),
        ("pictures", PICTURES),
        ("panels of the demo page", panels()),
    ],
)
def test_every_table_knows_every_problem(table: str, names: Collection[str]) -> None:
    assert set(names) == set(PROBLEMS), table


def test_the_page_asks_for_the_problem_nowhere_but_in_its_table() -> None:
    for script in PAGE.parent.glob("*.js"):
        assert not re.search(rf"[\"']({'|'.join(PROBLEMS)})[\"']", script.read_text()), script.name
