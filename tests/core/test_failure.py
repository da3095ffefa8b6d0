"""A stage's failure as a file says what the error said, whatever else the error carries."""

from pathlib import Path

from pipeline.core.errors import BusyError, DataError, RequirementsMissedError
from pipeline.core.failure import StageFailure, load_failure

SAID = {"got": "no rows", "expected": "some", "next_step": "add rows"}


def test_an_error_with_a_note_or_an_attribute_of_its_own_is_written(tmp_path: Path) -> None:
    error = DataError("no rows", expected="some", next_step="add rows")
    error.add_note("in the second file")
    error.__dict__["line"] = 7
    StageFailure.of("collect", error).save(tmp_path)
    assert load_failure(tmp_path, "collect") == StageFailure(
        stage="collect", kind="DataError", **SAID
    )


def test_requirements_that_are_missed_are_named(tmp_path: Path) -> None:
    error = RequirementsMissedError(
        "none", expected="one", next_step="more", nearest="pruned-int8", missed=("size_mb",)
    )
    StageFailure.of("gate", error).save(tmp_path)
    found = load_failure(tmp_path, "gate")
    assert found is not None
    assert (found.nearest, found.missed) == ("pruned-int8", ("size_mb",))
    assert found.requirements_missed


def test_a_busy_machine_says_nothing_of_the_recipe(tmp_path: Path) -> None:
    StageFailure.of("measure", BusyError(**SAID)).save(tmp_path)
    found = load_failure(tmp_path, "measure")
    assert found is not None
    assert not found.explained
