"""The schema of the parameters as a list, each with its type, its meaning and its default."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.core.params import Params, section_in


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One key of params.yaml or of a product file.

    Attributes:
        path: dotted; `[]` marks the entries of a list.
        owner: the class that has the field.
        default: the value of a key that is left out; None where it must be there.
    """

    path: str
    kind: str
    meaning: str
    owner: type[BaseModel]
    default: str | None = None


def all_parameters() -> list[Parameter]:
    """Every key, sections included, in the order of the schema."""
    found = []
    for name, field in Params.model_fields.items():
        section = section_in(field.annotation)
        assert section is not None, name  # noqa: S101 - every field of Params is a section
        key = key_of(name, field)
        meaning = opening(section, key)
        found.append(Parameter(path=key, kind="section", meaning=meaning, owner=Params))
        found += parameters(section, key)
    return found


def parameters(model: type[BaseModel], prefix: str) -> Iterator[Parameter]:
    """Every parameter below `model`, depth first, in the order of the schema."""
    for name, field in model.model_fields.items():
        path = f"{prefix}.{key_of(name, field)}"
        meaning = " ".join((field.description or "").split())
        default, kind = _default(field), kind_of(field)
        yield Parameter(path=path, kind=kind, meaning=meaning, owner=model, default=default)
        if inner := section_in(field.annotation):
            yield from parameters(inner, path + "[]" * _is_list(field))


def opening(section: type[BaseModel], name: str) -> str:
    """The purpose of a section: its docstring, without its name in front."""
    text = " ".join((section.__doc__ or "").split()).removeprefix(f"{name}: ")
    return text[:1].upper() + text[1:]


def key_of(name: str, field: FieldInfo) -> str:
    """The field's name in a file."""
    return field.alias or name


def _default(field: FieldInfo) -> str | None:
    """The default as a file would write it; None for a key that must be there, empty for none."""
    if field.is_required():
        return None
    if field.default_factory is not None:
        made = field.get_default(call_default_factory=True, validated_data={})
        return "" if isinstance(made, str) else json.dumps(made, ensure_ascii=False)
    if isinstance(field.default, str):
        return field.default
    return "" if field.default is None else json.dumps(field.default, ensure_ascii=False)


def _is_list(field: FieldInfo) -> bool:
    return "list" in _name(field.annotation).split()


def kind_of(field: FieldInfo) -> str:
    """The field's type as a person writes it."""
    if section_in(field.annotation):
        return "list" if _is_list(field) else _name(field.annotation)
    return _name(field.annotation)


def _name(annotation: Any) -> str:
    """A type as a person writes it: `list of number`, `text or null`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is Annotated:
        return _name(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(_name(part) for part in parts)
    if origin in (list, dict):
        return "list of " + _name(parts[0]) if origin is list else f"text → {_name(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    plain = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}
    return plain.get(annotation, "null")
