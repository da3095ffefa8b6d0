"""The page on what new labels changed: written where people's labels differ from those of the build before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.execution.label_rounds import FIGURES, PAGE, changes_folder, keep_label_changes
from flows.planning.resolution import write_build_file
from pipeline import label, prepare
from pipeline.annotation.published_votes import PublishedVote, write_votes
from pipeline.core.artifacts.table_columns import ReleasedAnswers
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from tests.support.answered_rows import AnsweredRow, write_answers
from tests.support.example_artifacts import check, scorecard_entry, verdict
from tests.support.small_reviews import at, checkpoint_of, params, prepared_workspace

NEGATIVE, POSITIVE = "negative", "positive"
PRODUCT = "movie-review-sentiment"


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has been built once, without labels of people."""
    root = prepared_workspace(tmp_path_factory)
    write_build_file(root, params())
    end_build(root, right=0.5)
    return root


def labelled(root: Path, split: str = "validation") -> list[dict[str, Any]]:
    table = pq.read_table(root / "artifacts" / "label" / "records.parquet")
    rows: list[dict[str, Any]] = table.to_pylist()
    return [row for row in rows if row["split"] == split]


def end_build(root: Path, *, right: float) -> None:
    """Writes what the gate leaves of a model that answers this share of the rows right."""
    found = []
    for split in ("validation", "test"):
        rows = labelled(root, split)
        for place, row in enumerate(rows):
            other = NEGATIVE if row["label"] == POSITIVE else POSITIVE
            answer = row["label"] if place < right * len(rows) else other
            given = AnsweredRow(
                number=int(row["id"], 16), label=row["label"], answer=answer, split=split
            )
            found.append(given)
    write_answers(root / "artifacts" / ReleasedAnswers.FILE, found)
    paths = Paths(root, "gate")
    entry = scorecard_entry("student-int8", quality=right, test=right, size_bytes=9, p95=1.0)
    Scorecard(variants=[entry]).write(paths)
    verdict(check("size_mb", value=1.0)).write(paths)


def build(root: Path, votes: Mapping[str, Mapping[str, str]], *, right: float) -> Path | None:
    """Builds with the votes (person → row → label); returns the page."""
    given = [
        PublishedVote(id=row, annotator=person, labels=(given,))
        for person, rows in votes.items()
        for row, given in rows.items()
    ]
    write_votes(root / "annotations", given)
    label.run(params(), at(root, "label"))
    prepare.run(params(*checkpoint_of(root)), at(root, "prepare"))
    end_build(root, right=right)
    return keep_label_changes(root, root)


def changes(root: Path) -> Any:
    return read_json(changes_folder(root, PRODUCT) / FIGURES)


def test_without_labels_of_people_there_is_no_page(root: Path) -> None:
    assert keep_label_changes(root, root) is None
    assert not changes_folder(root, PRODUCT).exists()


def test_the_first_labels_are_told_without_a_comparison(root: Path) -> None:
    rows = [row["id"] for row in labelled(root, "train")[:4]]
    same = {row["id"]: row["label"] for row in labelled(root, "train") if row["id"] in rows}
    page = build(root, {"p1": same, "p2": same}, right=0.5)
    assert page == changes_folder(root, PRODUCT) / PAGE
    assert (changes(root)["votes"], changes(root)["people"]) == (8, {"p1": 4, "p2": 4})
    assert (changes(root)["before"], changes(root)["quality"]) == ("", [])
    assert "there is none to compare with" in page.read_text(encoding="utf-8")


def test_new_labels_are_compared_with_the_build_before(root: Path) -> None:
    first, second, *_ = labelled(root)
    build(root, {"p1": {first["id"]: first["label"]}}, right=0.2)
    other = NEGATIVE if second["label"] == POSITIVE else POSITIVE
    votes = {"p1": {first["id"]: first["label"], second["id"]: other}}
    page = build(root, votes, right=0.9)
    found = changes(root)
    assert (found["votes"], found["gone"], found["people"]) == (1, 0, {"p1": 1})
    assert found["rows"]["relabelled"] == [[second["label"], other, 1]]
    assert found["rows"]["examples"] == [[second["id"], second["label"], other, "p1"]]
    assert found["rows"]["added"] == found["rows"]["removed"] == 0
    by_split = {change["split"]: change for change in found["quality"]}
    assert by_split.keys() == {"validation", "test"}
    test = by_split["test"]
    assert test["difference"]["value"] == pytest.approx(test["after"] - test["before"])
    assert test["difference"]["low"] > 0
    assert page is not None
    assert "better" in page.read_text(encoding="utf-8")


def test_labels_that_are_taken_back_are_told(root: Path) -> None:
    first, second, *_ = labelled(root, "train")
    both = {row["id"]: row["label"] for row in (first, second)}
    build(root, {"p1": both}, right=0.5)
    build(root, {"p1": {first["id"]: first["label"]}}, right=0.5)
    assert (changes(root)["votes"], changes(root)["gone"]) == (0, 1)


def test_a_build_without_new_labels_leaves_the_page_as_it_is(root: Path) -> None:
    [first, *_] = labelled(root, "train")
    votes = {"p1": {first["id"]: first["label"]}}
    page = build(root, votes, right=0.5)
    assert page is not None
    before = page.read_bytes()
    assert build(root, votes, right=0.7) is None
    assert page.read_bytes() == before


def test_another_recipe_is_named_beside_the_labels(root: Path) -> None:
    first, second, *_ = labelled(root, "train")
    build(root, {"p1": {first["id"]: first["label"]}}, right=0.5)
    write_build_file(root, params("finetune.epochs=9"))
    both = {row["id"]: row["label"] for row in (first, second)}
    page = build(root, {"p1": both}, right=0.5)
    assert changes(root)["others"] == ["parameters"]
    assert page is not None
    assert "Not the labels alone" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "kept"), [(PRODUCT, True), ("build-ab12", False)])
def test_a_product_built_beside_has_its_page_in_the_main_root_an_experiment_has_none(
    root: Path, tmp_path: Path, name: str, kept: bool
) -> None:
    workspace = tmp_path / "worktrees" / name
    workspace.parent.mkdir()
    root.rename(workspace)
    [first, *_] = labelled(workspace, "train")
    write_votes(
        workspace / "annotations",
        [PublishedVote(id=first["id"], annotator="p1", labels=(first["label"],))],
    )
    page = keep_label_changes(workspace, tmp_path)
    assert (page is not None) == kept == changes_folder(tmp_path, PRODUCT).exists()
