"""Reads JSON into frozen dataclasses, and refuses keys and values that do not fit.

The runtime and the server load without pydantic, so their files are declared as plain dataclasses.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
          NoneType: "null"}  # fmt: skip


class MismatchError(ValueError):
    """JSON that does not fit its dataclass; the message names the first key that is wrong."""


def read_as(kind: type[Kind], value: object) -> Kind:
    """`value`, as the json module parses it, in the shape of the dataclass `kind`.

    Numbers keep the type that the JSON gives them. A key may be missing if its field has a default.
    A dataclass inside `kind` that has a `from_json` is read by it.

    Raises:
        MismatchError: a key is unknown, missing, or holds a value of another type.
    """
    return cast(Kind, _read_object(kind, value, ""))


def _read(hint: Any, value: Any, name: str) -> Any:
    """`value` as the type `hint`; `name` is the dotted key that holds it, for the message."""
    origin, parameters = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if hasattr(hint, "from_json"):
        return hint.from_json(value)
    if is_dataclass(hint):
        return _read_object(hint, value, name)
    if origin in (Union, UnionType):
        reasons = []
        for option in parameters:
            try:
                return _read(option, value, name)
            except MismatchError as error:
                reasons.append(error)
        raise reasons[0]
    if origin is Literal:
        expected = f"one of {', '.join(map(repr, parameters))}"
        _require(value in parameters, value, name=name, expected=expected)
        return value
    if origin in (list, tuple):
        return _read_list(origin, parameters, value, name=name)
    if origin in (dict, Mapping):
        _require(isinstance(value, dict), value, name=name, expected="an object")
        return {key: _read(parameters[1], held, f"{name}.{key}") for key, held in value.items()}
    # A bool is an int in Python, but not a number in JSON.
    kinds = (int, float) if hint is float else hint
    fits = isinstance(value, kinds) and (hint is bool or not isinstance(value, bool))
    _require(fits, value, name=name, expected=_NAMES[hint])
    return value


def _read_object(kind: Any, value: Any, name: str) -> Any:
    _require(isinstance(value, dict), value, name=name, expected="an object")
    prefix, hints = f"{name}." if name else "", _hints(kind)
    if unknown := sorted(value.keys() - {field.name for field in fields(kind)}):
        raise MismatchError(f"the unknown key {prefix + unknown[0]!r}")
    for field in fields(kind):
        required = field.default is MISSING and field.default_factory is MISSING
        if required and field.name not in value:
            raise MismatchError(f"no key {prefix + field.name!r}")
    return kind(**{key: _read(hints[key], held, prefix + key) for key, held in value.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, which take longer to find than to use."""
    return get_type_hints(kind)


def _read_list(kind: Any, parameters: tuple[Any, ...], value: Any, *, name: str) -> Any:
    _require(isinstance(value, list), value, name=name, expected="a list")
    if kind is tuple and parameters[-1] is not Ellipsis:
        expected = f"a list of {len(parameters)}"
        _require(len(value) == len(parameters), value, name=name, expected=expected)
    else:
        parameters = (parameters[0],) * len(value)
    pairs = enumerate(zip(parameters, value, strict=True))
    return kind(_read(hint, held, f"{name}[{number}]") for number, (hint, held) in pairs)


def _require(fits: bool, value: Any, *, name: str, expected: str) -> None:
    if not fits:
        raise MismatchError(f"{str(value)[:60]!r} as {name or 'the whole'!r}, not {expected}")
