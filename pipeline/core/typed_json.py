"""Reads JSON into frozen dataclasses, and refuses keys and values that do not fit.

The runtime and the server load without pydantic, so their files are declared as plain dataclasses.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
Reader = Callable[[Any, str], Any]
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


def _reader(hint: Any) -> Reader:
    """A function that returns a value as the type `hint`; it is given the dotted key that holds the value, too."""
    origin, parameters = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value, name: value
    if hasattr(hint, "from_json"):
        return lambda value, name: hint.from_json(value)
    if is_dataclass(hint):
        return partial(_read_object, hint)
    if origin in (Union, UnionType):
        return partial(_read_union, [_reader(option) for option in parameters])
    if origin is Literal:
        return partial(_read_literal, parameters)
    if origin in (list, tuple):
        return partial(_read_list, origin, _readers(parameters), _is_open(origin, parameters))
    if origin in (dict, Mapping):
        return partial(_read_mapping, _reader(parameters[1]))
    return partial(_read_plain, (int, float) if hint is float else (hint,), hint)


def _readers(parameters: tuple[Any, ...]) -> list[Reader]:
    return [_reader(parameter) for parameter in parameters if parameter is not Ellipsis]


def _is_open(kind: Any, parameters: tuple[Any, ...]) -> bool:
    """Whether a list or tuple may have any length."""
    return kind is not tuple or parameters[-1] is Ellipsis


def _read_plain(kinds: tuple[type, ...], hint: Any, value: Any, name: str) -> Any:
    # A bool is an int in Python, but not a number in JSON.
    if not isinstance(value, kinds) or (hint is not bool and isinstance(value, bool)):
        raise _mismatch(value, name, expected=_NAMES[hint])
    return value


def _read_union(options: list[Reader], value: Any, name: str) -> Any:
    reasons = []
    for option in options:
        try:
            return option(value, name)
        except MismatchError as error:
            reasons.append(error)
    raise reasons[0]


def _read_literal(values: tuple[Any, ...], value: Any, name: str) -> Any:
    if value not in values:
        raise _mismatch(value, name, expected=f"one of {', '.join(map(repr, values))}")
    return value


def _read_mapping(reader: Reader, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, name, expected="an object")
    return {key: reader(held, f"{name}.{key}") for key, held in value.items()}


def _read_list(kind: Any, readers: list[Reader], is_open: bool, value: Any, name: str) -> Any:
    if not isinstance(value, list):
        raise _mismatch(value, name, expected="a list")
    if is_open:
        readers = readers * len(value)
    if len(value) != len(readers):
        raise _mismatch(value, name, expected=f"a list of {len(readers)}")
    pairs = enumerate(zip(readers, value, strict=True))
    return kind([reader(held, f"{name}[{number}]") for number, (reader, held) in pairs])


def _read_object(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, name, expected="an object")
    prefix, plan = f"{name}." if name else "", _plan(kind)
    if unknown := sorted(value.keys() - plan.readers.keys()):
        raise MismatchError(f"the unknown key {prefix + unknown[0]!r}")
    for key in plan.required:
        if key not in value:
            raise MismatchError(f"no key {prefix + key!r}")
    readers = plan.readers
    return kind(**{key: readers[key](held, prefix + key) for key, held in value.items()})


@dataclass(frozen=True)
class _Plan:
    """How the fields of a dataclass are read.

    Attributes:
        readers: of each field.
        required: names of the fields without a default, in their order.
    """

    readers: dict[str, Reader]
    required: tuple[str, ...]


@cache
def _plan(kind: Any) -> _Plan:
    """The plan of a dataclass, which takes longer to make than to use."""
    hints, known = get_type_hints(kind), fields(kind)
    return _Plan(
        readers={field.name: _reader(hints[field.name]) for field in known},
        required=tuple(
            field.name
            for field in known
            if field.default is MISSING and field.default_factory is MISSING
        ),
    )


def _mismatch(value: Any, name: str, *, expected: str) -> MismatchError:
    return MismatchError(f"{str(value)[:60]!r} as {name or 'the whole'!r}, not {expected}")
