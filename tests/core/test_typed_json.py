"""JSON becomes a dataclass whole, or is refused by the key that does not fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from pipeline.core.typed_json import MismatchError, read_as


@dataclass(frozen=True, kw_only=True)
class Inner:
    share: float
    pair: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    kind: Literal["a", "b"]
    count: int
    inner: Inner
    names: tuple[str, ...]
    figures: Mapping[str, Mapping[str, float]]
    text: str | tuple[str, str] = ""


VALUE: dict[str, Any] = {
    "name": "x",
    "kind": "a",
    "count": 2,
    "inner": {"share": 1, "pair": ["a", "b"]},
    "names": ["x", "y"],
    "figures": {"test": {"accuracy": 0.5}},
    "text": ["one", "two"],
}


def test_every_key_arrives_in_the_type_of_its_field_or_with_its_default() -> None:
    read = read_as(Outer, VALUE)
    assert read.inner == Inner(share=1, pair=("a", "b"))
    assert (read.names, read.text) == (("x", "y"), ("one", "two"))
    assert read.figures == {"test": {"accuracy": 0.5}}
    assert read_as(Outer, {k: v for k, v in VALUE.items() if k != "text"}).text == ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"more": 1}, "unknown key 'more'"),
        ({"inner": {}}, "no key 'inner.share'"),
        ({"inner": {"share": True}}, "inner.share"),
        ({"inner": {"share": 1, "pair": ["a"]}}, "inner.pair"),
        ({"count": 2.5}, "count"),
        ({"kind": "c"}, "kind"),
        ({"names": "x"}, "names"),
        ({"names": ["x", 1]}, r"names\[1\]"),
        ({"figures": {"test": {"accuracy": "high"}}}, r"figures\.test\.accuracy"),
        ({"text": 3}, "text"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MismatchError, match=named):
        read_as(Outer, VALUE | change)


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(MismatchError, match="an object"):
        read_as(Outer, value)
