"""A clone with a product of its own takes new versions by `git merge`, and nothing conflicts."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flows.planning.resolution import DEMONSTRATION, resolved
from tests.support.repository import PARAMS, PRODUCT, commit_all

OWN = """
product:
  name: ticket-triage
  labels: [complaint, question]
sources:
  - name: tickets
    path: tickets.csv
    text_column: text
    label_column: label
recipe:
  finetune.epochs: 7
"""
AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *AUTHOR, *arguments], cwd=root, check=True, capture_output=True)


def edit(root: Path, file: str, pattern: str, new: str) -> None:
    """A commit of upstream's, which changes the first place that the pattern matches."""
    before = (root / file).read_text(encoding="utf-8")
    after = re.sub(pattern, new, before, count=1, flags=re.MULTILINE | re.DOTALL)
    assert after != before
    (root / file).write_text(after, encoding="utf-8")
    git(root, "commit", "-qam", f"{file}: {new}")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    root = tmp_path / "upstream"
    (root / "products").mkdir(parents=True)
    shutil.copy(PARAMS, root / "params.yaml")
    shutil.copy(PRODUCT, root / "products" / "movie-reviews.yaml")
    commit_all(root)
    return root


@pytest.fixture
def clone(tmp_path: Path, upstream: Path) -> Path:
    """A user's clone, with a product and a changed value of the recipe, both committed."""
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(upstream), str(root)], check=True)
    (root / "product.yaml").write_text(OWN, encoding="utf-8")
    git(root, "add", "product.yaml")
    git(root, "commit", "-qm", "our product")
    return root


OF_FINETUNE = r"(^finetune:.*?^  "
UPSTREAM: dict[str, Callable[[Path], None]] = {
    "the value beside it changes": lambda root: edit(
        root, "params.yaml", OF_FINETUNE + r"frozen_layers:) \d+", r"\1 2"
    ),
    "the value itself changes": lambda root: edit(
        root, "params.yaml", OF_FINETUNE + r"epochs:) \d+", r"\1 9"
    ),
    "a comment is added": lambda root: edit(
        root, "params.yaml", "^finetune:", "# The teacher.\nfinetune:"
    ),
    "the demonstration product changes": lambda root: edit(
        root, "products/movie-reviews.yaml", r"min_quality: [\d.]+", "min_quality: 0.7"
    ),
}


@pytest.mark.parametrize("change", UPSTREAM)
def test_a_new_version_merges_and_the_product_keeps_its_own_value(
    upstream: Path, clone: Path, change: str
) -> None:
    UPSTREAM[change](upstream)
    git(clone, "pull", "-q", "--no-rebase", "--no-edit")
    params = resolved(clone)
    assert (params.product.name, params.finetune.epochs) == ("ticket-triage", 7)
    recipe = yaml.safe_load((upstream / "params.yaml").read_text(encoding="utf-8"))
    assert params.finetune.frozen_layers == recipe["finetune"]["frozen_layers"]
    assert resolved(clone, DEMONSTRATION) == resolved(upstream)


def test_many_versions_merge_one_after_the_other(upstream: Path, clone: Path) -> None:
    for change in UPSTREAM.values():
        change(upstream)
        git(clone, "pull", "-q", "--no-rebase", "--no-edit")
    assert resolved(clone).finetune.epochs == 7
    assert resolved(clone).finetune.frozen_layers == 2
