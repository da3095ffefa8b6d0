"""The model gives a text the same answer whatever other texts are in the request."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core.cores import available_cores
from pipeline.core.errors import ArtifactError
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import sigmoid
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import make_tiny_bundle, make_tiny_model, tiny_task

TEXTS = ["a warm funny film", "awful", "the dull film " * 10, "", "naïve 映画 🎬"]


def open_task(folder: Path, problem: str, **changes: Any) -> TextModel:
    make_tiny_bundle(folder / "bundle", task=tiny_task(problem, **changes))
    return TextModel.from_bundle(open_bundle(folder / "bundle"), threads=1)


@pytest.fixture(name="model")
def open_tiny(tmp_path: Path) -> TextModel:
    return open_task(tmp_path, "classification")


def test_a_bundle_is_served_with_the_threads_it_was_measured_with(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    bundle = open_bundle(tmp_path / "bundle")
    for threads, expected in ((1, 1), (4096, available_cores()), (None, available_cores())):
        latency: dict[str, float | None] = {"p50": 0.6, "threads": threads}
        description = dataclasses.replace(bundle.description, latency_ms=latency)
        measured = dataclasses.replace(bundle, description=description)
        options = TextModel.from_bundle(measured)._session.get_session_options()
        assert options.intra_op_num_threads == expected


def test_words_of_praise_are_positive_and_words_of_blame_negative(model: TextModel) -> None:
    praise, blame = model.predict(["a warm funny film", "an awful dull film"])
    assert (praise.label, blame.label) == ("positive", "negative")
    assert praise.probabilities is not None
    assert praise.probability == praise.probabilities["positive"] > 0.9


def test_an_answer_does_not_depend_on_other_texts_or_on_the_callers_threads(
    model: TextModel,
) -> None:
    together = model.predict(TEXTS)
    assert together == [model.predict([text])[0] for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        assert all(answer == together for answer in pool.map(model.predict, [TEXTS] * 40))


def test_probabilities_are_those_of_predict_and_sum_to_one(model: TextModel) -> None:
    matrix = model.scores(TEXTS)
    assert matrix.shape == (len(TEXTS), 2)
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    expected = [list((p.probabilities or {}).values()) for p in model.predict(TEXTS)]
    np.testing.assert_array_equal(matrix, np.array(expected))
    # Computed in parallel they are the same, in order.
    many = list(model.scores_of_each(TEXTS * 3, workers=3))
    np.testing.assert_array_equal(np.stack(many), np.tile(matrix, (3, 1)))


def test_no_text_gives_no_answer(model: TextModel) -> None:
    assert model.predict([]) == []
    assert model.scores([]).shape == (0, 2)


def test_a_long_text_is_cut_at_max_length_and_says_so(model: TextModel) -> None:
    (row,), truncated = model.read("film " * 1000)
    assert len(row.ids) == 16
    assert truncated
    fits, longer = model.predict(["film " * 14, "film " * 15])
    assert (fits.truncated, longer.truncated) == (False, True)


def test_a_model_with_another_number_of_outputs_is_refused(tmp_path: Path) -> None:
    model, tokenizer = make_tiny_model(tmp_path)
    with pytest.raises(ArtifactError, match="logits of 3"):
        TextModel(model, tokenizer, task=tiny_task(labels=("a", "b", "c")), threads=1)


def test_a_file_that_is_no_model_or_no_tokenizer_is_refused_by_name(tmp_path: Path) -> None:
    model, tokenizer = make_tiny_model(tmp_path)
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00")
    for files in ((broken, tokenizer), (model, broken)):
        with pytest.raises(ArtifactError, match="broken does not load"):
            TextModel(*files, task=tiny_task(), threads=1)


def test_each_of_several_labels_has_its_own_threshold(tmp_path: Path) -> None:
    model = open_task(tmp_path, "multi_label")
    praise, both, none = model.predict(["warm funny", "warm awful", "the film"])
    assert praise.labels == ["positive"]
    assert both.labels == ["negative", "positive"]
    assert none.labels == []
    assert none.probabilities is not None
    assert all(value < 0.3 for value in none.probabilities.values())
    strict = open_task(tmp_path, "multi_label", decision=Decision(thresholds=(0.5, 0.999)))
    assert strict.predict(["warm awful"])[0].labels == ["negative"]
    assert strict.predict(["warm awful"])[0].probabilities == both.probabilities


def test_a_number_is_given_as_it_is(tmp_path: Path) -> None:
    model = open_task(tmp_path, "regression")
    praise, blame = model.predict(["warm funny", "awful dull"])
    assert praise.as_dict() == {"value": praise.value}
    assert praise.value is not None
    assert blame.value is not None
    assert praise.value > 5 > -5 > blame.value


def test_an_unsure_answer_is_marked_as_abstained(tmp_path: Path) -> None:
    model = open_task(tmp_path, "classification", decision=Decision(abstain_below=0.9))
    sure, unsure = model.predict(["a warm funny film", "the film"])
    assert "abstained" not in sure.as_dict()
    assert unsure.as_dict()["abstained"] is True
    assert unsure.as_dict().keys() >= {"label", "probability", "probabilities"}


def test_a_threshold_of_the_bundle_decides_between_two_labels(tmp_path: Path) -> None:
    model = open_task(tmp_path, "classification", decision=Decision(thresholds=(0.01, 0.99)))
    (answer,) = model.predict(["warm film"])
    assert answer.probabilities is not None
    assert answer.probabilities["positive"] > 0.5
    assert (answer.label, answer.probability) == ("negative", answer.probabilities["negative"])


def test_both_texts_of_a_pair_are_read(tmp_path: Path) -> None:
    model = open_task(tmp_path, "classification", pairs=True)
    praise, blame = model.predict([("the film", "warm funny"), ("awful dull", "the film")])
    assert (praise.label, blame.label) == ("positive", "negative")
    model.warm_up()


def test_windows_are_averaged_before_they_become_probabilities(tmp_path: Path) -> None:
    text = "good " * 20 + "bad " * 10
    model = open_task(tmp_path, "multi_label", window_stride=10)
    rows, truncated = model.read(text)
    assert len(rows) > 1
    assert not truncated
    mean = np.mean([model.outputs(row) for row in rows], axis=0)
    np.testing.assert_array_equal(model.scores([text])[0], sigmoid(mean))
