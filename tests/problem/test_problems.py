"""Every table outside pipeline/problem that has an entry a problem has all of them."""

import re
from pathlib import Path

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


def test_every_table_knows_every_problem() -> None:
    for names in (LOSSES, LINEAR_MODELS, PICTURES, panels()):
        assert set(names) == set(PROBLEMS), names


def test_the_page_asks_for_the_problem_nowhere_but_in_its_table() -> None:
    for script in PAGE.parent.glob("*.js"):
        assert not re.search(rf"[\"']({'|'.join(PROBLEMS)})[\"']", script.read_text()), script.name
