"""`modelyard labels`: labels go out to another tool and come back."""

import json
import shutil
from pathlib import Path

import pytest

from flows.cli import main
from flows.execution.rows_to_label import keep_rows
from flows.labels_verbs import NAMES
from pipeline.annotation.foreign_votes import Question
from pipeline.annotation.label_formats import FORMATS
from pipeline.annotation.published_votes import PublishedVote, last_words, read_votes, write_votes
from pipeline.problem.problems import problem_named
from tests.support.repository import PARAMS, PRODUCT
from tests.support.voted_rows import VotedProject, make_project

NAME = "movie-review-sentiment"
TEXTS = [f"film number {number} was good" for number in range(9)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VotedProject:
    """A folder whose rows validate has checked, as the current one."""
    shutil.copy(PARAMS, tmp_path / "params.yaml")
    shutil.copy(PRODUCT, tmp_path / "product.yaml")
    (tmp_path / "build.yaml").write_text(f"product: {{name: {NAME}}}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    question = Question(
        problem=problem_named("classification"), labels=["negative", "positive"], pairs=False
    )
    return make_project(tmp_path, question, texts=TEXTS)


def some_votes(project: VotedProject) -> list[PublishedVote]:
    """Two people's answers to some rows, one of them a skip."""
    first, second, third = (row.id for row in project.rows[:3])
    skip = PublishedVote(id=third, annotator="p1", skipped=True, comment="both?")
    return last_words(
        [
            PublishedVote(id=first, annotator="p1", labels=("positive",), why="random"),
            PublishedVote(id=first, annotator="p2", labels=("negative",)),
            PublishedVote(id=second, annotator="p2", labels=("positive",)),
            skip,
        ]
    )


def test_the_command_line_has_every_format() -> None:
    assert list(NAMES) == [*FORMATS]


@pytest.mark.parametrize("name", NAMES)
def test_exported_labels_are_imported_again(
    project: VotedProject, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = f"out{FORMATS[name].endings[0]}"
    write_votes(project.root / "annotations", some_votes(project))
    assert main(["labels", "export", file, "--format", name]) == 0
    (project.root / "annotations" / "votes.parquet").unlink()
    capsys.readouterr()
    assert main(["labels", "import", file, "--format", name, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "file": f"annotations/{name}-out.parquet",
        "votes": 3,
        "skips": 1,
        "unanswered": 0,
        "altered": 0,
        "unmatched": [],
    }
    back = read_votes(project.root / "annotations", name=f"{name}-out")
    assert [(vote.id, vote.annotator, vote.labels, vote.comment) for vote in back] == [
        (vote.id, vote.annotator, vote.labels, vote.comment) for vote in some_votes(project)
    ]


def test_an_export_says_what_it_wrote_and_what_it_could_not(
    project: VotedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    write_votes(project.root / "annotations", some_votes(project))
    assert main(["labels", "export", "out.json", "--format", "label-studio"]) == 0
    row = project.rows[0].id
    assert capsys.readouterr().out.splitlines() == [
        "answers: 4, rows: 3, in out.json, lost.json, out.xml",
        f"not in the file: why (rows: 1, {row})",
    ]


def test_a_file_that_is_there_is_overwritten_only_on_request(
    project: VotedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["labels", "export", "out.jsonl", "--format", "doccano", "--unlabelled", "2"]
    assert main(command) == 0
    (project.root / "out.jsonl").write_text("labelled in doccano")
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert (project.root / "out.jsonl").read_text() == "labelled in doccano"
    assert main([*command, "--force"]) == 0
    assert len((project.root / "out.jsonl").read_text().splitlines()) == 2


def test_where_validate_has_not_run_the_error_says_what_to_run(
    project: VotedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project.root / "artifacts")
    assert main(["labels", "export", "out.jsonl", "--format", "prodigy"]) == 1
    assert "make pipeline" in capsys.readouterr().err


def test_labels_go_out_and_come_back_while_another_product_waits_for_them(
    tmp_path: Path, project: VotedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its build has ended without labels: of its worktree only the rows are left."""
    workspace = tmp_path / ".modelyard" / "worktrees" / NAME
    shutil.move(tmp_path / "artifacts", workspace / "artifacts")
    shutil.move(tmp_path / "build.yaml", workspace / "build.yaml")
    keep_rows(workspace, tmp_path)
    shutil.rmtree(workspace)
    (tmp_path / "products").mkdir()
    shutil.move(tmp_path / "product.yaml", tmp_path / "products" / "reviews.yaml")
    named = ["--format", "huggingface", "--product", "products/reviews.yaml"]
    write_votes(tmp_path / "annotations", some_votes(project))
    assert main(["labels", "export", "out.parquet", *named, "--unlabelled", "2"]) == 0
    assert "rows: 5" in capsys.readouterr().out
    assert main(["labels", "import", "out.parquet", *named, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["votes"] == 3
