"""`modelyard guide new`: a first guide from the product file, and never over one that is there."""

from pathlib import Path

import pytest

from flows.annotate import publish_votes
from flows.cli import main, parse_arguments
from flows.execution.rows_to_label import annotation_folder
from flows.guide_verbs import new_guide
from pipeline.annotation.guide_text import section_of, sections
from pipeline.annotation.guide_versions import GuideVersions
from pipeline.core.errors import DataError
from pipeline.core.files import write_json
from tests.support.labelling import LABELS, PRODUCT, make_project

ASKS = {
    "classification": ("Which one of the labels", LABELS),
    "multi_label": ("Several are possible, and so is none.", LABELS),
    "regression": ("Which number of stars", ("stars",)),
}


@pytest.mark.parametrize(("problem", "asked"), ASKS.items(), ids=ASKS)
def test_a_first_guide_asks_the_products_question_and_has_a_section_a_label(
    tmp_path: Path, problem: str, asked: tuple[str, tuple[str, ...]]
) -> None:
    question, labels = asked
    make_project(tmp_path, ["text"], labels=labels, problem=problem)
    text = new_guide(tmp_path, product="", force=False).read_text(encoding="utf-8")
    assert question in text
    assert [part.title for part in sections(text)] == ["", *labels, "Hard cases"]


def test_a_guide_that_is_there_is_kept_unless_it_is_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_project(tmp_path, ["text"])
    monkeypatch.chdir(tmp_path)
    assert main(["guide", "new"]) == 0
    file = tmp_path / "annotations" / "guide.md"
    file.write_text("Ours", encoding="utf-8")
    assert main(["guide", "new"]) == 1
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "Ours"
    assert main(["guide", "new", "--force"]) == 0
    assert section_of(file.read_text(), LABELS[0]).text


def test_a_guide_of_the_page_counts_as_one_that_is_there(tmp_path: Path) -> None:
    make_project(tmp_path, ["text"])
    live = annotation_folder(tmp_path, PRODUCT) / "guide"
    GuideVersions(live).save("Ours", base=None, who="p1", why="a beginning")
    with pytest.raises(DataError, match="has a guide"):
        new_guide(tmp_path, product="", force=False)
    assert publish_votes(tmp_path, "")["guide"]["versions"] == 1
    assert (tmp_path / "annotations" / "guide.md").read_text() == "Ours"
    assert (tmp_path / "annotations" / "guide" / "log.jsonl").exists()


def test_the_guide_of_another_product_is_not_overwritten(tmp_path: Path) -> None:
    make_project(tmp_path, ["text"])
    write_json(tmp_path / "annotations" / "manifest.json", {"product": "tickets"})
    with pytest.raises(DataError, match="another product"):
        new_guide(tmp_path, product="", force=True)


def test_a_verb_without_an_action_is_a_wrong_call() -> None:
    with pytest.raises(SystemExit) as error:
        parse_arguments(["guide"])
    assert error.value.code == 2
