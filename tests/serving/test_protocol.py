"""Every bad body is refused with a status and a reason; good ones give their texts unchanged."""

import orjson
import pytest

from pipeline.serving.body_shapes import MAX_TEXTS
from pipeline.serving.protocol import ProtocolError, parse_requests, require_shape


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"text": "a film"}', ["a film"]),
        (b'{"texts": ["one", "two"]}', ["one", "two"]),
        ('{"text": " naïve 映画 "}'.encode(), [" naïve 映画 "]),
        (orjson.dumps({"texts": ["x"] * MAX_TEXTS}), ["x"] * MAX_TEXTS),
        (b'{"text": "a", "second": "b"}', [("a", "b")]),
        (b'{"pairs": [["a", "b"], ["c", "d"]]}', [("a", "b"), ("c", "d")]),
    ],
    ids=["one", "two", "unicode", "as many as allowed", "a pair", "pairs"],
)
def test_good_bodies_give_their_texts_unchanged(body: bytes, texts: list[str]) -> None:
    assert parse_requests(body) == texts


@pytest.mark.parametrize(
    ("body", "status", "got"),
    [
        (b'{"text": ""}', 422, "an empty text as 'text'"),
        (b'{"text": " \\n\\t"}', 422, "an empty text"),
        (b'{"text": 7}', 422, "a number"),
        (b'{"text": 7.5}', 422, "a number"),
        (b'{"text": null}', 422, "null"),
        (b'{"text": true}', 422, "true"),
        (b'{"text": ["a"]}', 422, "a list"),
        (b'{"text": {"a": 1}}', 422, "an object"),
        (b'{"texts": "a"}', 422, "a text as 'texts'"),
        (b'{"texts": []}', 422, "an empty list"),
        (b'{"texts": ["a", ""]}', 422, "an empty text as 'texts[1]'"),
        (b'{"texts": ["a", 1]}', 422, "a number as 'texts[1]'"),
        (orjson.dumps({"texts": ["x"] * (MAX_TEXTS + 1)}), 422, "65 texts"),
        (b'{"text": "a", "texts": ["b"]}', 422, "'text' and 'texts' together"),
        (b'{"second": "a"}', 422, "'second'"),
        (b'{"texts": ["a"], "second": "b"}', 422, "'second' and 'texts' together"),
        (b'{"text": "a", "second": ""}', 422, "an empty text as 'second'"),
        (b'{"text": "a", "second": 1}', 422, "a number as 'second'"),
        (b'{"pairs": [["a", "b"], ["c"]]}', 422, "a list of 1 as 'pairs[1]'"),
        (b'{"pairs": [["a", " "]]}', 422, "an empty text as 'pairs[0][1]'"),
        (b'{"pairs": ["ab"]}', 422, "a text as 'pairs[0]'"),
        (b'{"pairs": []}', 422, "an empty list"),
        (orjson.dumps({"pairs": [["x", "y"]] * (MAX_TEXTS + 1)}), 422, "65 pairs"),
        (b'{"txt": "a"}', 422, "unknown key 'txt'"),
        (b"{}", 422, "an empty object"),
        (b"[]", 422, "a list at the top"),
        (b'"a film"', 422, "a text at the top"),
        (b"12", 422, "a number at the top"),
        (b"", 400, "not JSON"),
        (b'{"text": "a"', 400, "not JSON"),
        (b'{"text": NaN}', 400, "not JSON"),
        (b'{"text": "\xff"}', 400, "another encoding"),
        (b'{"text": "\\ud800"}', 400, "not JSON"),
        (b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "nested too deep"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_bad_body_is_refused_with_a_description_of_it(body: bytes, status: int, got: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_requests(body)
    assert caught.value.status == status
    assert got in caught.value.got
    assert caught.value.expected
    assert caught.value.next_step


def test_pairs_for_a_model_of_single_texts_are_refused_and_the_reverse() -> None:
    require_shape(["a"], pairs=False)
    require_shape([("a", "b")], pairs=True)
    with pytest.raises(ProtocolError, match="a pair for a model that reads single texts") as caught:
        require_shape([("a", "b")], pairs=False)
    assert "'texts'" in caught.value.expected
    with pytest.raises(ProtocolError, match="a single text for a model that reads pairs") as caught:
        require_shape(["a"], pairs=True)
    assert "second" in caught.value.next_step
