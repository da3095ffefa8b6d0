"""A model whose answers depend on other texts in a batch is detected; the runtime never batches."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.problem.prediction import Prediction
from pipeline.runtime.batch_invariance import (
    BATCH_SIZE,
    AnswerDifference,
    BatchComparison,
    compare_answers,
    measure_batch_invariance,
)
from pipeline.runtime.task import Request, Task
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import depend_on_batch, depend_on_padding, make_tiny_model, tiny_task

# Most of them praise: what a batch shares then drowns the blame of the others.
TEXTS = [f"{word} film" for word in ("good", "warm", "funny", "good", "warm", "bad")]
MANY: list[Request] = [*TEXTS, *(f"the {text}" for text in TEXTS), "a", "awful " * 20] * 4
NOTHING = AnswerDifference(0.0, 0, 0.0)


def open_model(
    folder: Path,
    *,
    change: Callable[[Path], None] = lambda model: None,
    task: Task | None = None,
    kind: type[TextModel] = TextModel,
) -> TextModel:
    task = task or tiny_task()
    model, tokenizer = make_tiny_model(folder, task=task)
    change(model)
    return kind(model, tokenizer, task=task, threads=1)


def measure(model: TextModel, requests: Sequence[Request] = MANY) -> BatchComparison:
    return measure_batch_invariance(model, requests, pad_token_id=0, workers=2)


def test_a_graph_that_reads_each_row_by_itself_passes_every_way(tmp_path: Path) -> None:
    found = measure(open_model(tmp_path))
    assert found.passed
    assert found.texts == len(MANY) > BATCH_SIZE
    assert set(found.batched) == {"equal_lengths", "mixed_lengths", "padded"}
    for change in found.batched.values():
        assert change.largest_change < 1e-6
        assert change.flips == 0


def test_a_graph_that_depends_on_other_rows_of_the_batch_is_detected(tmp_path: Path) -> None:
    found = measure(open_model(tmp_path, change=depend_on_batch))
    for way in ("equal_lengths", "mixed_lengths"):
        assert found.batched[way].largest_change > 0.5
        assert found.batched[way].flips
    assert found.batched["padded"].flips == 0  # alone, however long


def test_a_graph_that_reads_padding_is_detected(tmp_path: Path) -> None:
    found = measure(open_model(tmp_path, change=depend_on_padding))
    assert found.batched["equal_lengths"].largest_change < 1e-6
    for way in ("mixed_lengths", "padded"):
        assert found.batched[way].largest_change > 0.01


def test_the_runtime_answers_a_batch_as_it_answers_each_text_alone_whatever_the_graph(
    tmp_path: Path,
) -> None:
    model = open_model(tmp_path, change=depend_on_batch)
    assert model.predict(MANY) == [model.predict([text])[0] for text in MANY]
    found = measure(model)
    assert found.served == NOTHING
    assert found.passed
    assert found.as_dict()["served"] == "alone"


class Batching(TextModel):
    """A wrong runtime, which runs the texts of a request as one batch."""

    def predict(self, requests: Sequence[Request]) -> list[Prediction]:
        rows = [self.read(request)[0][0].ids for request in requests]
        ids = np.array([row + [0] * (self.task.max_length - len(row)) for row in rows])
        outputs = self.outputs_together(ids, (ids != 0).astype(np.int64), None)
        task, scores = self.task, self.task.kind.scores(outputs)
        return [
            task.kind.prediction(
                row[None], labels=task.labels, decision=task.decision, truncated=False
            )
            for row in scores
        ]


def test_a_runtime_that_batches_such_a_graph_does_not_pass(tmp_path: Path) -> None:
    found = measure(open_model(tmp_path, change=depend_on_batch, kind=Batching))
    assert not found.passed
    told = found.as_dict()
    assert (told["passed"], told["served"]) == (False, "in batches")
    assert told["one_request"]["flips"] > 0


def test_batches_may_flip_one_label_in_a_thousand_and_no_more() -> None:
    def passes(flips: int) -> bool:
        change = AnswerDifference(0.01, flips, flips / 20_000)
        return BatchComparison(
            texts=20_000, served_texts=1000, served=change, batched={"padded": change}
        ).passed

    assert passes(20)
    assert not passes(21)


def test_windows_pairs_and_several_labels_are_compared_as_whole_answers(tmp_path: Path) -> None:
    task = tiny_task("multi_label", pairs=True, window_stride=4)
    model = open_model(tmp_path, task=task)
    requests: list[Request] = [("the film", "a warm funny film " * 5), ("a film", "dull")]
    assert len(model.read(requests[0])[0]) > 1
    found = measure(model, requests)
    assert found.texts == 2
    assert all(change.largest_change < 1e-6 for change in found.batched.values())


def test_an_answer_that_is_a_number_can_change_but_has_no_label_to_flip(tmp_path: Path) -> None:
    found = measure(open_model(tmp_path, task=tiny_task("regression"), change=depend_on_batch))
    assert found.passed  # for each text runs alone
    assert found.batched["mixed_lengths"].largest_change > 0.5
    assert found.batched["mixed_lengths"].flip_share is None


def test_one_of_several_labels_that_changes_is_a_flip() -> None:
    alone, batched = np.array([[0.9, 0.4], [0.1, 0.1]]), np.array([[0.9, 0.6], [0.2, 0.1]])
    change = compare_answers(tiny_task("multi_label"), alone, batched)
    assert change.flips == 1
    assert change.flip_share == 0.5
    assert change.largest_change == pytest.approx(0.2)


def test_answers_that_are_not_finite_are_refused() -> None:
    scores = np.array([[0.5, 0.5]])
    with pytest.raises(ArtifactError, match="NaN"):
        compare_answers(tiny_task(), scores, scores * np.nan)


def test_without_texts_nothing_is_certified(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no text"):
        measure(open_model(tmp_path), [])
