"""What a checkpoint does not know of texts becomes lines of the recipe, as far as they can help."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.core.sections import PrepareParams
from pipeline.data.reading import Reading, changes_of, is_replaceable, reading_of
from pipeline.text.tokenizer import train_wordpiece
from tests.support.repository import parameter_values

BYTES = {"prepare.tokenizer": "byte_bpe"}
KNOWN = ["the film is warm", "a dull story of a film"] * 4


def prepare(**changes: Any) -> PrepareParams:
    return PrepareParams.model_validate(parameter_values()["prepare"] | changes)


@pytest.mark.parametrize(
    ("unknown", "recipe"), [(0.0, {}), (0.0005, {}), (0.07, BYTES), (0.6, BYTES)]
)
def test_the_student_reads_bytes_where_the_checkpoint_does_not_know_all(
    unknown: float, recipe: dict[str, Any]
) -> None:
    reading = Reading(unknown=unknown, known=0.9, cut=0.0)
    assert not reading.is_foreign
    changes = changes_of(reading, prepare())
    assert {change.key: change.value for change in changes} == recipe
    assert all(f"{unknown:.1%} of the tokens are unknown" in change.why for change in changes)


@pytest.mark.parametrize("unknown", [0.0, 0.06, 0.9])
def test_the_teacher_too_reads_bytes_where_the_checkpoint_does_not_know_the_language(
    unknown: float,
) -> None:
    reading = Reading(unknown=unknown, known=0.13, cut=0.0)
    assert reading.is_foreign
    [teacher, student, size] = changes_of(reading, prepare())
    assert (teacher.key, teacher.value) == ("prepare.teacher_tokenizer", "student")
    assert "87% of the letters one by one" in teacher.why
    assert {student.key: student.value} == BYTES
    assert (size.key, size.value) == ("prepare.vocabulary_size", 4096)
    assert {c.key: c.value for c in changes_of(reading, prepare(), replaceable=False)} == (
        BYTES if unknown else {}
    )
    already = prepare(teacher_tokenizer="student", tokenizer="byte_bpe")
    assert changes_of(reading, already) == []


def test_a_recipe_of_bytes_stays_and_a_checkpoint_that_is_not_here_changes_nothing() -> None:
    reading = Reading(unknown=0.05, known=0.9, cut=0.0)
    assert changes_of(reading, prepare(tokenizer="byte_bpe")) == []
    assert changes_of(None, prepare()) == []
    assert reading_of(KNOWN, Path("no-such-folder/tokenizer.json"), max_length=8) is None


@pytest.mark.parametrize(("family", "can"), [("bert", True), ("roberta", False)])
def test_a_family_says_whether_it_can_read_by_another_tokenizer(
    tmp_path: Path, family: str, can: bool
) -> None:
    assert not is_replaceable(tmp_path)
    (tmp_path / "config.json").write_text(f'{{"model_type": "{family}"}}')
    assert is_replaceable(tmp_path) == can


def test_unknown_tokens_and_texts_that_are_cut_off_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    train_wordpiece(KNOWN, vocabulary_size=200).save(str(file))
    found = reading_of([*KNOWN, "ж"], file, max_length=7)
    assert found is not None
    assert 0 < found.unknown < 0.1
    assert 0.5 < found.known < 1.0
    assert found.cut == pytest.approx(4 / 9)  # of a dull story and its frame are eight tokens
