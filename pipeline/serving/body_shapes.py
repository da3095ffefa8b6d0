"""The shapes of request bodies: each checks what came, and says as a JSON Schema what it takes.

The OpenAPI document (openapi.py) is made of the shapes that check a request, so it cannot promise what the
server refuses; tests/serving/test_body_shapes.py holds the two halves of every shape together.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import orjson

from pipeline.core.invisible import IGNORED, SELECTORS
from pipeline.runtime.task import Request as TextRequest

MAX_TEXTS = 64
Schema = dict[str, Any]
_BLANKS = (*range(0x21), *range(0x7F, 0xA1), 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F)
_LETTERS_OF_WINDOWS = {*range(0x80, 0xA0)} - {0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D}
"""Code points that cleaning reads as the Windows-1252 sign of their byte; 0x85 is a blank to Python."""
_JOINERS = (0x200C, 0x200D)
_NO_CHARACTERS = (0xFFFE, 0xFFFF)


class ShapeError(Exception):
    """A value that does not have the shape; `next_step` is None where an example says enough."""

    def __init__(self, got: str, *, expected: str | None, next_step: str | None = None) -> None:
        super().__init__(got)
        self.got, self.expected, self.next_step = got, expected, next_step


class Shape(Protocol):
    """A kind of JSON value."""

    @property
    def schema(self) -> Schema:
        """The JSON Schema (2020-12) of exactly what `check` takes."""
        ...

    def check(self, value: Any, name: str) -> Any:
        """The value; `ShapeError` where it has another shape. `name` says where it stands."""
        ...


@dataclass(frozen=True)
class Text:
    """A text with at least one character that shows."""

    @property
    def schema(self) -> Schema:
        return {"type": "string", "pattern": shown_pattern()}

    def check(self, value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise ShapeError(f"{kind_of(value)} as '{name}'", expected="a text")
        if not _shown().search(value):
            raise ShapeError(
                f"an empty text as '{name}'", expected="a text with at least one character"
            )
        return value


@dataclass(frozen=True)
class Pair:
    """A list of two texts."""

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": Text().schema, "minItems": 2, "maxItems": 2}

    def check(self, value: Any, name: str) -> tuple[str, str]:
        if not isinstance(value, list) or len(value) != 2:
            size = f" of {len(value)}" if isinstance(value, list) else ""
            raise ShapeError(f"{kind_of(value)}{size} as '{name}'", expected="a list of two texts")
        return Text().check(value[0], f"{name}[0]"), Text().check(value[1], f"{name}[1]")


@dataclass(frozen=True)
class Many:
    """A list of 1 to `MAX_TEXTS` values of one shape."""

    item: Shape

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema, "minItems": 1, "maxItems": MAX_TEXTS}

    def check(self, value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise ShapeError(f"{kind_of(value)} as '{name}'", expected=f"a list of {name}")
        if not value:
            raise ShapeError("an empty list", expected=f"1 to {MAX_TEXTS} {name}")
        if len(value) > MAX_TEXTS:
            raise ShapeError(
                f"{len(value)} {name}",
                expected=f"at most {MAX_TEXTS} {name} in one request",
                next_step="send them in several requests",
            )
        return [self.item.check(held, f"{name}[{at}]") for at, held in enumerate(value)]


@dataclass(frozen=True)
class Form:
    """One form of a request's body: an object with exactly these keys.

    Attributes:
        requests: makes the texts or pairs of the checked values, which it gets by their keys.
    """

    fields: Mapping[str, Shape]
    requests: Callable[..., list[TextRequest]]

    @property
    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {name: shape.schema for name, shape in self.fields.items()},
            "required": [*self.fields],
            "additionalProperties": False,
        }

    def read(self, value: Mapping[str, Any]) -> list[TextRequest]:
        """The texts or pairs of an object that has this form's keys."""
        return self.requests(**{key: self.fields[key].check(value[key], key) for key in value})


SINGLE = (
    Form({"text": Text()}, lambda text: [text]),
    Form({"texts": Many(Text())}, lambda texts: texts),
)
"""The forms for a model that reads single texts."""
PAIRED = (
    Form({"text": Text(), "second": Text()}, lambda text, second: [(text, second)]),
    Form({"pairs": Many(Pair())}, lambda pairs: pairs),
)
"""The forms for a model that reads pairs."""
_FORMS = {frozenset(form.fields): form for form in (*SINGLE, *PAIRED)}
_KEYS = frozenset().union(*_FORMS)


def read_forms(value: Any) -> list[TextRequest]:
    """The 1 to `MAX_TEXTS` texts or pairs of a parsed body, in whichever form it has.

    Raises:
        ShapeError: it has none.
    """
    if not isinstance(value, dict):
        raise ShapeError(f"{kind_of(value)} at the top", expected=None)
    if (form := _FORMS.get(frozenset(value))) is not None:
        return form.read(value)
    if unknown := sorted(value.keys() - _KEYS):
        raise ShapeError(f"the unknown key {unknown[0][:40]!r}", expected=None)
    together = " and ".join(f"'{key}'" for key in sorted(value))
    got = f"{together} together" if len(value) > 1 else together or "an empty object"
    raise ShapeError(got, expected=None)


def kind_of(value: Any) -> str:
    """The kind of a parsed JSON value in words: "a number", "a text", "null"."""
    # A bool is an int in Python, but the sender wrote true or false.
    if value is None or isinstance(value, bool):
        return orjson.dumps(value).decode()
    names = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names[type(value)]


@cache
def shown_pattern() -> str:
    """The pattern of one character that a text shows once it is cleaned.

    The class is spelled out, for a blank is another set of characters in each language that reads a schema.
    """
    hidden = {*_BLANKS, *IGNORED, *SELECTORS, *_JOINERS, *_NO_CHARACTERS, 0x205F, 0x3000}
    return f"[^{_ranges(hidden - _LETTERS_OF_WINDOWS)}]"


@cache
def blank_pattern() -> str:
    """The pattern of a text that has one blank `___` once it is cleaned, and no second.

    Between the three signs, and before and after them, may stand characters that cleaning takes out.
    """
    removed = {code for code, stands in IGNORED.items() if stands is None}
    idle = _ranges({*removed, *SELECTORS, *_JOINERS, *_NO_CHARACTERS})
    sign = f"_[{idle}]*"
    rest = f"(?:(?:{sign}){{0,2}}[^_{idle}][{idle}]*)*"
    return f"^[{idle}]*{rest}{sign}{sign}{sign}{rest}(?:{sign}){{0,2}}$"


@cache
def _shown() -> re.Pattern[str]:
    return re.compile(shown_pattern())


def _ranges(codes: Iterable[int]) -> str:
    """The code points as ranges, written so that every dialect of patterns, and YAML, reads them alike."""
    known = {*codes}
    firsts, lasts = known - {code + 1 for code in known}, known - {code - 1 for code in known}
    ends = zip(sorted(firsts), sorted(lasts), strict=True)
    return "".join(f"{_written(first)}-{_written(last)}" for first, last in ends)


def _written(code: int) -> str:
    # No escape for the planes above the first is common to Python, JavaScript and Rust.
    return f"\\u{code:04x}" if code < 0x10000 else chr(code)
