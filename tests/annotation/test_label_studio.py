"""Label Studio's own exports are read, and what is written is what it imports."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.annotation.foreign_votes import AnsweredRow, ForeignVote
from pipeline.annotation.label_studio import (
    labelling_configuration,
    read_label_studio,
    write_label_studio,
)
from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS

KINDS = pytest.mark.parametrize("kind", [*QUESTIONS])


def chosen(*labels: str, control: str = "sentiment") -> dict[str, Any]:
    """One entry of a `result`, as Label Studio exports it."""
    return {
        "id": "Dx_aB91ISN",
        "type": "choices",
        "value": {"choices": [*labels]},
        "origin": "manual",
        "to_name": "text",
        "from_name": control,
    }


def annotation(*result: dict[str, Any], **other: Any) -> dict[str, Any]:
    """An annotation, as Label Studio exports it."""
    usual = {
        "id": 1001,
        "completed_by": 7,
        "result": [*result],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-01-02T21:52:49.513742Z",
        "updated_at": "2026-01-03T09:05:00.250000Z",
        "draft_created_at": None,
        "lead_time": 4.288,
    }
    return usual | other


def read(folder: Path, *annotations: dict[str, Any], kind: str = "classification", **task: Any):
    """The answers to one task of these annotations."""
    usual = {"id": 1, "data": {"text": "좋아요"}, "annotations": [*annotations], "predictions": []}
    (folder / "export.json").write_text(json.dumps([usual | task]), encoding="utf-8")
    return [*read_label_studio(folder / "export.json", QUESTIONS[kind])]


def test_each_annotation_of_a_task_is_the_vote_of_who_made_it(tmp_path: Path) -> None:
    people = [7, {"id": 8, "email": "mina@example.org", "first_name": "Mina"}, None]
    given = [annotation(chosen("C#"), completed_by=person) for person in people]
    votes = read(tmp_path, *given)
    assert [vote.annotator for vote in votes] == ["7", "mina@example.org", ""]
    assert {vote.values for vote in votes} == {("C#",)}
    assert votes[0].notes == {"seconds": 4.288, "time": "2026-01-03T09:05:00.250000Z"}
    assert votes[0].texts[0] == "좋아요"


def test_predictions_and_drafts_are_no_votes(tmp_path: Path) -> None:
    model = {"model_version": "v1", "score": 0.9, "result": [chosen("C#")]}
    [vote] = read(tmp_path, predictions=[model], drafts=[{"result": [chosen("C#")]}])
    assert (vote.values, vote.skipped) == (None, False)


def test_a_cancelled_annotation_is_a_skip_whatever_it_holds(tmp_path: Path) -> None:
    [vote] = read(tmp_path, annotation(chosen("C#"), was_cancelled=True))
    assert (vote.values, vote.skipped) == (None, True)


@pytest.mark.parametrize(
    ("kind", "values"), [("classification", None), ("multi_label", ())], ids=["one", "several"]
)
def test_an_empty_annotation_is_an_answer_only_where_a_row_may_have_no_label(
    tmp_path: Path, kind: str, values: tuple[str, ...] | None
) -> None:
    [vote] = read(tmp_path, annotation(), kind=kind)
    assert (vote.values, vote.skipped) == (values, False)


def test_ratings_numbers_and_the_last_of_a_taxonomy_are_read(tmp_path: Path) -> None:
    kinds = [("rating", 4), ("number", 4.5), ("taxonomy", [["words", "C#"]])]
    parts = [chosen() | {"type": kind, "value": {kind: value}} for kind, value in kinds]
    assert [vote.values for vote in read(tmp_path, *map(annotation, parts))] == [
        ("4",), ("4.5",), ("C#",),
    ]  # fmt: skip


def test_of_several_controls_the_one_called_label_counts_or_the_file_is_refused(
    tmp_path: Path,
) -> None:
    both = [chosen("sad", control="mood"), chosen("C#", control="label")]
    [vote] = read(tmp_path, annotation(*both))
    assert vote.values == ("C#",)
    both[1]["from_name"] = "topic"
    with pytest.raises(DataError, match="task 1: answers of the controls mood, topic"):
        read(tmp_path, annotation(*both))


def test_labels_of_parts_of_a_text_are_none_of_the_text(tmp_path: Path) -> None:
    span = {"from_name": "ner", "value": {"start": 0, "end": 3, "labels": ["C#"]}}
    [vote] = read(tmp_path, annotation(span))
    assert vote.values is None


def test_another_export_of_label_studio_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "min.json").write_text(json.dumps([{"text": "a", "sentiment": "C#", "id": 1}]))
    with pytest.raises(DataError, match="task 1: no task") as caught:
        [*read_label_studio(tmp_path / "min.json", QUESTIONS["classification"])]
    assert "JSON-MIN" in caught.value.next_step


@KINDS
def test_what_is_written_names_no_user_and_only_controls_of_the_configuration(
    tmp_path: Path, kind: str
) -> None:
    question = QUESTIONS[kind]
    row = LabellingRow(id="0" * 16, source="s", text="a", second="b", label=None)
    answer = {"number": 4.5} if kind == "regression" else {"labels": question.labels[:1]}
    vote = PublishedVote(id=row.id, annotator="p1", comment="why?", seconds=1.5, **answer)
    path = tmp_path / "tasks.json"
    write_label_studio(path, [AnsweredRow(row=row, votes=(vote,))], question)
    [task] = json.loads(path.read_text(encoding="utf-8"))
    [given] = task["annotations"]
    assert "completed_by" not in given  # it refuses all tasks where one names an unknown user
    controls = {
        node.get("name"): node
        for node in ElementTree.fromstring(labelling_configuration(question)).iter()  # noqa: S314
        if node.get("toName")
    }
    assert {part["from_name"] for part in given["result"]} == {*controls}
    assert {part["to_name"] for part in given["result"]} == {"text"}
    for part in given["result"]:
        assert controls[part["from_name"]].tag.lower() == part["type"]
    assert {"text", *(["second"] if question.pairs else [])} <= {*task["data"]}


@pytest.mark.parametrize(
    ("kind", "choice"), [("classification", "single"), ("multi_label", "multiple")]
)
def test_the_configuration_offers_the_labels_of_the_product(kind: str, choice: str) -> None:
    root = ElementTree.fromstring(labelling_configuration(QUESTIONS[kind]))  # noqa: S314
    [control] = root.findall("Choices")
    assert control.get("choice") == choice
    assert [node.get("value") for node in control] == [*QUESTIONS[kind].labels]


def test_an_empty_list_of_tasks_is_written_and_read(tmp_path: Path) -> None:
    write_label_studio(tmp_path / "none.json", [], QUESTIONS["pairs"])
    found: list[ForeignVote] = [*read_label_studio(tmp_path / "none.json", QUESTIONS["pairs"])]
    assert found == []
