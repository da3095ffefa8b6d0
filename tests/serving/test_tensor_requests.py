"""Requests of the Open Inference Protocol v2: which texts they hold, and what is refused by name."""

import struct
from typing import Any

import orjson
import pytest

from pipeline.serving.body_shapes import MAX_TEXTS, ShapeError
from pipeline.serving.tensor_requests import Asked, InferBody, bytes_of_texts, texts_of_bytes
from tests.support.tiny_bundle import tiny_task

SINGLES = InferBody(tiny_task(), ("label", "probability"))
PAIRS = InferBody(tiny_task(pairs=True), ("label",))


def binary(name: str, texts: list[str]) -> tuple[dict[str, Any], bytes]:
    """A tensor with binary data, and those data."""
    data = bytes_of_texts(texts)
    tensor = {"name": name, "shape": [len(texts)], "datatype": "BYTES"}
    return tensor | {"parameters": {"binary_data_size": len(data)}}, data


def test_texts_come_as_json_or_as_binary_data_and_mean_the_same() -> None:
    texts = ["a fine film", "영화 🎬"]
    plain = {
        "name": "text",
        "shape": [2, 1],
        "datatype": "BYTES",
        "data": [[text] for text in texts],
    }
    tensor, data = binary("text", texts)
    wanted = Asked(id="7", requests=[*texts], outputs=None, binary=False)
    assert SINGLES.read({"id": "7", "inputs": [plain]}, None) == wanted
    assert SINGLES.read({"id": "7", "inputs": [tensor]}, data) == wanted


def test_pairs_are_two_tensors_in_any_order_whose_data_follow_in_that_order() -> None:
    first, first_data = binary("text", ["a", "b"])
    second, second_data = binary("second", ["c", "d"])
    asked = PAIRS.read({"inputs": [second, first]}, second_data + first_data)
    assert asked.requests == [("a", "c"), ("b", "d")]


def test_outputs_say_themselves_whether_they_are_binary_or_the_request_does() -> None:
    tensor, data = binary("text", ["a"])
    outputs = [{"name": "label"}, {"name": "probability", "parameters": {"binary_data": False}}]
    parameters = {"binary_data_output": True}
    asked = SINGLES.read({"inputs": [tensor], "outputs": outputs, "parameters": parameters}, data)
    assert (asked.binary, asked.outputs) == (True, {"label": None, "probability": False})


@pytest.mark.parametrize(
    ("changed", "tail", "got"),
    [
        ({"shape": [2]}, None, "another shape of 'text'"),
        ({"parameters": {}}, None, "None as 'text.parameters.binary_data_size'"),
        ({"parameters": {"binary_data_size": 99}}, None, "99 as"),
        ({"parameters": {"binary_data_size": True}}, None, "True as"),
        ({"parameters": {"binary_data_size": 0}}, b"", "0 texts"),
        ({"datatype": "INT64"}, None, "'INT64' as 'text.datatype'"),
        ({}, b"more", "4 bytes after the last tensor"),
        ({"name": "txt"}, None, "the inputs txt"),
    ],
)
def test_binary_data_that_do_not_fit_are_refused(
    changed: dict[str, Any], tail: bytes | None, got: str
) -> None:
    tensor, data = binary("text", ["a"])
    tensor |= changed
    with pytest.raises(ShapeError) as caught:
        SINGLES.read({"inputs": [tensor]}, data + tail if tail else data if tail is None else tail)
    assert got in caught.value.got
    assert caught.value.expected


def test_tensors_of_a_pair_have_as_many_texts() -> None:
    tensors = [
        {"name": name, "shape": [size], "datatype": "BYTES", "data": ["a"] * size}
        for name, size in (("text", 1), ("second", 2))
    ]
    with pytest.raises(ShapeError, match="tensors of 1 and 2 texts"):
        PAIRS.read({"inputs": tensors}, None)


def test_more_texts_than_one_request_may_have_are_refused_in_either_form() -> None:
    texts = ["a"] * (MAX_TEXTS + 1)
    tensor, data = binary("text", texts)
    for request, tail in (({**tensor, "data": texts}, None), (tensor, data)):
        with pytest.raises(ShapeError, match="65 texts"):
            SINGLES.read({"inputs": [request]}, tail)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"\x01", "end inside"),
        (struct.pack("<I", 5) + b"abcd", "end inside"),
        (struct.pack("<I", 2**32 - 1), "end inside"),
        (struct.pack("<I", 1) + b"\xff", "UTF-8"),
    ],
    ids=["cut length", "cut text", "huge", "not utf-8"],
)
def test_binary_data_are_never_read_past_their_end(data: bytes, got: str) -> None:
    with pytest.raises(ShapeError, match=got):
        texts_of_bytes(memoryview(data), "text")


def test_binary_data_come_back_as_the_texts_they_were() -> None:
    texts = ["", "a", "é🎬", "x" * 70_000]
    assert texts_of_bytes(memoryview(bytes_of_texts(texts)), "text") == texts


def test_what_stands_in_a_text_never_stands_in_an_error() -> None:
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["my secret", 7]}
    with pytest.raises(ShapeError) as caught:
        SINGLES.read(orjson.loads(orjson.dumps({"inputs": [tensor]})), None)
    assert "secret" not in str(vars(caught.value))
