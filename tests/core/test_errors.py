"""An error says what it got, what it expected, and what to do next."""

import pytest

from pipeline.core.errors import (
    ArtifactError,
    DataError,
    ParameterError,
    PipelineError,
    ReleaseError,
    TrainingError,
)


@pytest.mark.parametrize(
    "kind", [ParameterError, DataError, TrainingError, ArtifactError, ReleaseError]
)
def test_every_kind_is_caught_as_one_and_says_its_three_parts(kind: type[PipelineError]) -> None:
    with pytest.raises(PipelineError) as caught:
        raise kind("4 rows", expected="50 rows", next_step="collect more")
    assert str(caught.value) == "got: 4 rows\n  expected: 50 rows\n  next: collect more"


def test_an_error_without_a_next_step_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="next_step"):
        DataError("4 rows", expected="50 rows")  # type: ignore[call-arg]
