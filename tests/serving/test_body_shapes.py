"""What a shape says as a schema is what it checks: a body passes one exactly if it passes the other."""

import random
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from pipeline.core.cleaning import clean
from pipeline.serving.body_shapes import (
    MAX_TEXTS,
    PAIRED,
    SINGLE,
    ShapeError,
    Text,
    blank_pattern,
    read_forms,
)
from pipeline.serving.tensor_requests import InferBody
from tests.support.tiny_bundle import tiny_task

OUTPUTS = ("label", "probability")
SINGLES, PAIRS = InferBody(tiny_task(), OUTPUTS), InferBody(tiny_task(pairs=True), OUTPUTS)
VALUES: tuple[Any, ...] = (
    *("a film", "", " ", "\u200d", "\x85", "é", 7, 7.0, True, None, [], {}, ["a"], ["a", "b"]),
    *(
        [["a", "b"]],
        [["a"]],
        ["a", 1],
        ["a", " "],
        [""],
        ["x"] * MAX_TEXTS,
        ["x"] * (MAX_TEXTS + 1),
    ),
    *([["x", "y"]] * MAX_TEXTS, [["x", "y"]] * (MAX_TEXTS + 1)),
)
KEYS = ("text", "texts", "second", "pairs", "txt")


def is_taken(read: Callable[..., object], *given: Any) -> bool:
    try:
        read(*given)
    except ShapeError:
        return False
    return True


def bodies() -> list[Any]:
    """Every value at the top and under each key, and a thousand objects with two or three of the keys."""
    drawn = random.Random(0)  # noqa: S311 - no secret is drawn
    several = [
        {key: drawn.choice(VALUES) for key in drawn.sample(KEYS, drawn.randint(0, 3))}
        for _ in range(1000)
    ]
    return [*VALUES, *({key: value} for key in KEYS for value in VALUES), *several]


def test_a_body_is_taken_exactly_if_the_schema_of_a_form_takes_it() -> None:
    schema = Draft202012Validator({"anyOf": [form.schema for form in (*SINGLE, *PAIRED)]})
    tried = bodies()
    taken = [is_taken(read_forms, body) for body in tried]
    fits = zip(tried, taken, strict=True)
    assert [body for body, fit in fits if schema.is_valid(body) != fit] == []
    assert 15 < sum(taken) < len(taken) - 15


def tensor(name: str = "text", size: int = 2, **changed: Any) -> dict[str, Any]:
    return {
        "name": name, "shape": [size], "datatype": "BYTES", "data": ["a"] * size, **changed
    }  # fmt: skip


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in tensor().items() if name != key}


INPUTS: tuple[Any, ...] = (
    *([tensor()], [tensor(size=1)], [tensor(size=MAX_TEXTS)], [tensor(size=MAX_TEXTS + 1)]),
    *([tensor(size=0)], [], {}, None, "text", [None], [[]], [tensor(), tensor()]),
    *([tensor(shape=[2, 1])], [tensor(shape=[1, 2])], [tensor(shape=[3])], [tensor(shape=2)]),
    *([tensor(shape=[2.0])], [tensor(shape=[True], data=["a"])], [tensor(shape=[])]),
    *([tensor(data=[["a"], ["b"]])], [tensor(data=[["a", "b"]])], [tensor(data=[["a"], "b"])]),
    *([tensor(data=["a", 1])], [tensor(data=["a", " "])], [tensor(data="ab")]),
    *([tensor(datatype="FP32")], [tensor(datatype=None)], [tensor("other")], [tensor(name=None)]),
    *([tensor(parameters={"any": 1})], [tensor(parameters=[])], [tensor(more=1)]),
    *([without(key)] for key in tensor()),
    *([tensor(), tensor("second")], [tensor("second"), tensor()], [tensor("second")]),
)
PARAMETERS: tuple[Any, ...] = (
    *({}, {"binary_data_output": True}, {"binary_data_output": 1}, {"other": None}, [], None),
)
WANTED: tuple[Any, ...] = (
    *([], [{"name": "label"}], [{"name": "nothing"}], [{}], ["label"], {}, None),
    *([{"name": "label", "parameters": {"binary_data": False}}],),
    *([{"name": "label", "parameters": {"binary_data": "no"}}],),
)


@pytest.mark.parametrize("shape", [SINGLES, PAIRS], ids=["single texts", "pairs"])
def test_a_request_of_the_open_protocol_is_taken_exactly_if_its_schema_takes_it(
    shape: InferBody,
) -> None:
    fits = [tensor(), tensor("second")][: 2 if shape.task.pairs else 1]
    requests: list[Any] = [
        *({"inputs": inputs} for inputs in INPUTS),
        *({"inputs": fits, "parameters": held} for held in PARAMETERS),
        *({"inputs": fits, "outputs": held} for held in WANTED),
        *({"inputs": fits, "id": held} for held in ("seven", "", 7, None)),
        *({}, {"inputs": fits, "more": 1}),
    ]
    schema = Draft202012Validator(shape.schema)
    taken = [is_taken(shape.read, held, None) for held in requests]
    differing = [
        held for held, fit in zip(requests, taken, strict=True) if schema.is_valid(held) != fit
    ]
    assert differing == []
    assert 5 < sum(taken) < len(taken) - 5


def test_a_text_is_empty_exactly_if_cleaning_leaves_nothing_of_it() -> None:
    codes = [
        *range(0x3200),
        *range(0xFB00, 0x10000),
        *range(0x1BC00, 0x1BD00),
        *range(0xE0000, 0xE1100),
    ]
    differing = [
        hex(code)
        for code in codes
        if is_taken(Text().check, chr(code), "text") != bool(clean(chr(code)))
    ]
    # Python counts it as a blank, so it was never a text; cleaning would make it an ellipsis.
    assert differing == ["0x85"]


def test_a_text_has_one_blank_exactly_if_its_cleaned_form_has() -> None:
    drawn = random.Random(0)  # noqa: S311 - no secret is drawn
    signs = ("_", "_", "_", "__", "a", " ", "\u200b", "\xad", "\u200d", "\x15", "\U000e03a3", "é")
    tried = ["".join(drawn.choices(signs, k=drawn.randint(1, 9))) for _ in range(3000)]
    pattern = re.compile(blank_pattern())
    found = [bool(pattern.search(text)) for text in tried]
    assert found == [clean(text).count("___") == 1 for text in tried]
    assert 500 < sum(found) < 2500


def test_the_pattern_of_a_text_is_written_for_every_reader() -> None:
    pattern = Text().schema["pattern"]
    assert "\\s" not in pattern
    assert all(sign.isprintable() or ord(sign) > 0xFFFF for sign in pattern)
    assert orjson.loads(orjson.dumps(pattern)) == pattern
