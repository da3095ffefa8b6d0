"""A process that answers gives each text what the model gives to it alone, and outlives a bad one."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.batch.answering import score
from pipeline.core.errors import DataError
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel
from tests.support.odd_texts import odd_texts
from tests.support.tiny_bundle import make_tiny_model, tiny_task


class FailsAt(TextModel):
    """A model that fails at one text."""

    def outputs_of_sent(self, request: Request) -> tuple[npt.NDArray[np.float32], bool]:
        if request == "fails":
            raise RuntimeError("of ONNX Runtime")
        return super().outputs_of_sent(request)

    def outputs_of_short(
        self, requests: Sequence[Request]
    ) -> Iterator[npt.NDArray[np.float32] | None]:
        for number, request in enumerate(requests):
            if request == "fails":
                raise RuntimeError("of ONNX Runtime")
            yield from super().outputs_of_short(requests[number : number + 1])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_tiny_model(tmp_path)


@pytest.mark.parametrize("stride", [None, 4])
def test_texts_of_all_kinds_get_the_scores_that_each_gets_alone(
    files: tuple[Path, Path], stride: int | None
) -> None:
    model = TextModel(*files, task=tiny_task(window_stride=stride), threads=1)
    odd = [text.encode(errors="ignore").decode() for text in odd_texts(500)]
    requests = [*odd, "good " * 40, "<br />", "bad " * 3_000]
    found = score(model, requests)
    for number, request in enumerate(requests):
        if number in found.faults:
            assert np.isnan(found.scores[number]).all()
            with pytest.raises(DataError, match=re.escape(found.faults[number])):
                model.outputs_of_sent(request)
            continue
        outputs, is_cut = model.outputs_of_sent(request)
        assert (number in found.truncated) == is_cut
        np.testing.assert_array_equal(found.scores[number], model.task.kind.scores(outputs))
    assert found.faults
    assert found.truncated or stride


def test_a_text_at_which_the_model_fails_takes_no_other_with_it(files: tuple[Path, Path]) -> None:
    model = FailsAt(*files, task=tiny_task(), threads=1)
    found = score(model, ["good", "fails", "bad"])
    assert found.faults == {1: "a failure of the model (RuntimeError)"}
    whole = score(model, ["good", "bad"])
    np.testing.assert_array_equal(found.scores[[0, 2]], whole.scores)
