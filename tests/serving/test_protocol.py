"""Every bad request gets a status and a reason, and no other text passes."""

import orjson
import pytest

from pipeline.serving.protocol import MAX_TEXTS, ProtocolError, parse_texts


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"text": "a film"}', ["a film"]),
        (b'{"texts": ["one", "two"]}', ["one", "two"]),
        ('{"text": " naïve 映画 "}'.encode(), [" naïve 映画 "]),
        (orjson.dumps({"texts": ["x"] * MAX_TEXTS}), ["x"] * MAX_TEXTS),
    ],
    ids=["one", "two", "unicode", "as many as allowed"],
)
def test_good_bodies_give_their_texts_unchanged(body: bytes, texts: list[str]) -> None:
    assert parse_texts(body) == texts


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
        (b'{"text": "a", "texts": ["b"]}', 422, "both"),
        (b'{"txt": "a"}', 422, "unknown key 'txt'"),
        (b"{}", 422, "an empty object"),
        (b"[]", 422, "a list at the top"),
        (b'"a film"', 422, "a text at the top"),
        (b"12", 422, "a number at the top"),
        (b"", 400, "not JSON"),
        (b'{"text": "a"', 400, "not JSON"),
        (b'{"text": NaN}', 400, "not JSON"),
        (b'{"text": "\xff"}', 400, "not JSON"),
        (b'{"text": "\\ud800"}', 400, "not JSON"),
        (b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "nested too deep"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_bad_body_is_refused_with_what_came(body: bytes, status: int, got: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_texts(body)
    assert caught.value.status == status
    assert got in caught.value.got
    assert caught.value.expected
    assert caught.value.next_step
