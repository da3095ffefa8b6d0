"""The tests pass in a repository whose params.yaml asks for another product than the default."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import yaml

from tests.support.repository import REPOSITORY, parameter_values
from tests.support.whole_repo import copy_repository

# One file each of the ways in which tests once read the user's params.yaml.
TESTS = [
    "tests/core/test_params.py",
    "tests/data/test_row_checks.py",
    "tests/flows/test_search.py",
    "tests/test_collect.py",
    "tests/test_finetune.py::test_the_teacher_learns_more_than_the_baseline_knows",
    "tests/test_layout.py",
    "tests/test_docs.py",
]


def test_tests_pass_beside_the_example_product_of_the_readme(tmp_path: Path) -> None:
    root = copy_repository(tmp_path / "copy")
    values = parameter_values() | example_product()
    (root / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def example_product() -> dict[str, object]:
    """The sections `product` and `collect` of README's own-data example."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown: dict[str, object] = {}
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        shown |= yaml.safe_load(textwrap.dedent(block))
    return {"product": shown["product"], "collect": shown["collect"]}
