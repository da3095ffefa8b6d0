"""Brings what people label, a sheet or the rows themselves, to where they find it.

A worktree does not outlive its build: what people need of it is kept in the main root.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipeline.core.artifacts.table_columns import ReleasedAnswers
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path, sha256_file
from pipeline.core.paths import Paths

if TYPE_CHECKING:
    from pipeline.annotation.label_goal import LabelGoal


def bring_sheet(workspace: Path, root: Path) -> Path | None:
    """Copies what `label` wrote in the workspace to the main root, which a worktree does not outlive.

    A sheet that is there is never overwritten: somebody may be filling it in.

    Returns:
        The path of the sheet; None where `label` wrote none.
    """
    file, number = Paths(workspace).annotation_sheet, 2
    if not file.exists():
        return None
    place = root / file.name
    while place.exists() and place.read_bytes() != file.read_bytes():
        place = root / f"{file.stem}-{number}{file.suffix}"
        number += 1
    if not place.exists():
        with atomic_path(place) as temporary:
            shutil.copyfile(file, temporary)
    return place


def annotation_folder(root: Path, product: str) -> Path:
    """The folder of what people answer about a product, which no stage reads."""
    return Paths(root).state / "annotation" / product


def keep_rows(workspace: Path, root: Path) -> None:
    """Keeps the rows that validate left in the worktree of another product, for people to label, and how many need one."""
    product = _product_of(workspace)
    if workspace == root or product != workspace.name or not _has_rows(workspace):
        return
    from pipeline.annotation.label_goal import goal_of_build, keep_goal
    from pipeline.annotation.row_file import row_file

    folder = annotation_folder(root, product)
    row_file(Paths(workspace), folder)
    keep_goal(folder, goal_of_build(Paths(workspace)))


def keep_answers(workspace: Path, root: Path) -> None:
    """Keeps the released model's answers where people look for its mistakes; an experiment's are not kept."""
    product, answers = _product_of(workspace), Paths(workspace).artifacts / ReleasedAnswers.FILE
    is_its_own = workspace == root or product == workspace.name
    if product is None or not is_its_own or not answers.exists():
        return
    from pipeline.annotation.mistakes import ANSWERS_FILE

    place = annotation_folder(root, product) / ANSWERS_FILE
    if not (place.exists() and sha256_file(place) == sha256_file(answers)):
        with atomic_path(place) as temporary:
            shutil.copyfile(answers, temporary)


def rows_of(root: Path, product: str, *, said: str) -> Path:
    """The row file of a product's last build (pipeline/annotation/row_file.py).

    Args:
        said: what the command line called the product; empty for the user's own.

    Raises:
        DataError: no build of it has come past `validate`.
    """
    from pipeline.annotation.row_file import newest_row_file, row_file

    folder = annotation_folder(root, product)
    if _product_of(root) == product and _has_rows(root):
        return row_file(Paths(root), folder)
    if (kept := newest_row_file(folder)) is not None:
        return kept
    raise DataError(
        f"no rows of {product} to label yet",
        expected="a build that has come past `validate`, which reads and cleans the texts",
        next_step=f"run `make pipeline{f' PRODUCT={said}' if said else ''}`",
    )


def goal_of(root: Path, product: str) -> "LabelGoal | None":
    """How many rows need a label, as the last build of a product found; None where none came so far."""
    from pipeline.annotation.label_goal import goal_of_build, kept_goal

    if _product_of(root) == product:
        return goal_of_build(Paths(root))
    return kept_goal(annotation_folder(root, product))


def build_artifacts(root: Path, product: str) -> Path | None:
    """The artifacts of a product's last build; None where the main root holds those of another product."""
    return Paths(root).artifacts if _product_of(root) == product else None


def _has_rows(workspace: Path) -> bool:
    validated = Paths(workspace).output("validate")
    return any((validated / name).exists() for name in ("records.parquet", "corpus.parquet"))


def _product_of(workspace: Path) -> str | None:
    """Name of the product that a workspace was last built for; None where nothing was."""
    try:
        return str(
            yaml.safe_load(Paths(workspace).build.read_text(encoding="utf-8"))["product"]["name"]
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None
