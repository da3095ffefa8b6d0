"""Answers of the Open Inference Protocol v2, for each kind of problem, in JSON and as binary data."""

import struct

import orjson
import pytest

from pipeline.problem.decision import Decision
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Task
from pipeline.serving.tensor_answers import answer_of, metadata, outputs_of
from pipeline.serving.tensor_requests import Asked, texts_of_bytes
from tests.support.tiny_bundle import tiny_task

CLASSIFIED = [
    Prediction(label="positive", probability=0.75, probabilities={"negative": 0.25, "positive": 0.75}),
    Prediction(label="negative", probability=1.0, probabilities={"negative": 1.0, "positive": 0.0}, truncated=True),
]  # fmt: skip
LABELLED = [Prediction(labels=["positive"], probabilities={"negative": 0.25, "positive": 0.75})]


def asked(**changed) -> Asked:
    return Asked(**{"id": None, "requests": ["a"], "outputs": None, "binary": False, **changed})


def answer(task: Task, found: list[Prediction], **changed) -> dict[str, list[object]]:
    body, length = answer_of(asked(**changed), found, task, name="m", version="1")
    assert length is None
    return {tensor["name"]: tensor["data"] for tensor in orjson.loads(body)["outputs"]}


def test_a_class_is_its_label_its_probability_and_those_of_all_labels_row_after_row() -> None:
    assert answer(tiny_task(), CLASSIFIED) == {
        "label": ["positive", "negative"],
        "probability": [0.75, 1.0],
        "probabilities": [0.25, 0.75, 1.0, 0.0],
        "truncated": [False, True],
    }


def test_several_labels_are_a_yes_or_no_for_each_in_the_models_order() -> None:
    found = answer(tiny_task("multi_label"), LABELLED)
    assert (found["applies"], found["probabilities"]) == ([False, True], [0.25, 0.75])


def test_a_number_is_a_value_and_doubt_is_told_where_the_model_may_abstain() -> None:
    assert answer(tiny_task("regression"), [Prediction(value=3.5)])["value"] == [3.5]
    careful = tiny_task(decision=Decision(abstain_below=0.8))
    assert answer(careful, [CLASSIFIED[0]])["abstained"] == [False]


def test_the_answer_repeats_the_id_and_holds_only_the_outputs_asked_for() -> None:
    wanted = asked(id="7", outputs={"label": None})
    body, _ = answer_of(wanted, CLASSIFIED, tiny_task(), name="m", version="1")
    value = orjson.loads(body)
    assert (value["id"], value["model_name"], value["model_version"]) == ("7", "m", "1")
    assert [tensor["name"] for tensor in value["outputs"]] == ["label"]


def test_binary_outputs_follow_the_json_in_its_order() -> None:
    wanted = asked(outputs={"label": None, "probability": False, "truncated": None}, binary=True)
    body, length = answer_of(wanted, CLASSIFIED, tiny_task(), name="m", version="1")
    assert length is not None
    tensors = {tensor["name"]: tensor for tensor in orjson.loads(body[:length])["outputs"]}
    size = tensors["label"]["parameters"]["binary_data_size"]
    data = memoryview(body)[length:]
    assert texts_of_bytes(data[:size], "label") == ["positive", "negative"]
    assert tensors["probability"]["data"] == [0.75, 1.0]
    assert struct.unpack("<2?", data[size:]) == (False, True)


@pytest.mark.parametrize("problem", ["classification", "multi_label", "regression"])
def test_the_metadata_name_what_the_answer_holds(problem: str) -> None:
    task = tiny_task(problem)
    found = metadata(task, name="m", version="1")
    assert [output["name"] for output in found["outputs"]] == [o.name for o in outputs_of(task)]
    assert all(output["shape"][0] == -1 for output in found["outputs"])
    assert [tensor["name"] for tensor in found["inputs"]] == ["text"]
    assert [
        tensor["name"]
        for tensor in metadata(tiny_task(pairs=True), name="m", version="1")["inputs"]
    ] == ["text", "second"]
