"""Each link of the tour leads to the line that holds its symbol."""

from pathlib import Path

import pytest

from scripts.tour import PAGE, ROOT, line_of, with_current_lines

CODE = '''"""A module."""

LIMIT = 3


class Stage:
    name: str

    def run(self) -> None:
        print("/predict")
'''


@pytest.mark.parametrize(
    ("symbol", "line"),
    [("LIMIT", 3), ("Stage", 6), ("Stage.name", 7), ("Stage.run", 9), ('"/predict"', 10)],
)
def test_a_symbol_is_found_where_it_is_defined(tmp_path: Path, symbol: str, line: int) -> None:
    path = tmp_path / "stage.py"
    path.write_text(CODE, encoding="utf-8")
    assert line_of(symbol, path) == line


def test_a_key_is_found_below_its_section() -> None:
    lines = (ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()
    found = line_of("stages.prune.cmd", ROOT / "dvc.yaml")
    assert lines[found - 1].strip() == "cmd: python -m pipeline.prune"


def test_a_symbol_that_is_gone_is_said() -> None:
    with pytest.raises(LookupError, match="no_such_function"):
        line_of("no_such_function", ROOT / "scripts" / "tour.py")


def test_the_lines_of_the_tour_are_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_current_lines(text), "run `python -m scripts.tour` (or `make format`)"
