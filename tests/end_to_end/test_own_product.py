"""The tests pass in a repository with a product of its own and a recipe that was edited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.repository import REPOSITORY, shown_product
from tests.support.whole_repo import copy_repository

# One file each of the ways in which tests once read the user's files.
QUICK = [
    *("tests/core/test_params.py", "tests/data/test_row_checks.py", "tests/test_collect.py"),
    *("tests/test_layout.py", "tests/test_docs.py"),
]
LONG = [
    *("tests/flows/test_search.py", "tests/flows/test_cli.py", "tests/flows/planning"),
    "tests/test_finetune.py::test_the_teacher_learns_more_than_the_baseline_knows",
]


@pytest.mark.soak
@pytest.mark.parametrize("tests", [QUICK, LONG], ids=["quick", "long"])
def test_tests_pass_beside_the_example_product_of_the_readme(
    tmp_path: Path, tests: list[str]
) -> None:
    root = copy_repository(tmp_path / "copy")
    product = shown_product((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    (root / "product.yaml").write_text(yaml.safe_dump(product), encoding="utf-8")
    recipe = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    recipe["finetune"]["epochs"] += 2
    (root / "params.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
