"""The form of the Prefect UI for all parameters, made from the schema: its words, its types, its limits.

One group a section, in the order of the schema. Every field may be left empty, which means "as in the
files when the run starts"; a value outside its limits is refused before a run exists.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, create_model, model_serializer
from pydantic.fields import FieldInfo

from flows.planning.schema import key_of, opening
from pipeline.core.params import Params, section_in

_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


class Form(BaseModel):
    """Values for parameters; only those that are given count."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def lines(self) -> list[str]:
        """The given values as `section.key=value` lines."""
        given = _leaves(self.model_dump())
        return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given]

    @model_serializer
    def _given(self) -> dict[str, Any]:
        """The given values alone: what was left empty is in no run's parameters."""
        fields = type(self).model_fields
        return {
            key_of(n, fields[n]): getattr(self, n) for n in fields if n in self.model_fields_set
        }


def form_of(section: type[BaseModel], path: str = "") -> type[Form]:
    """A model with the fields of a section, none of which must be given."""
    fields = dict(_fields_of(section, path))
    model = create_model(f"{section.__name__}Form", __base__=Form, **cast("Any", fields))
    model.__doc__ = opening(section, path)
    return model


def _fields_of(section: type[BaseModel], path: str) -> Iterator[tuple[str, Any]]:
    """Name, type and description of every field, for pydantic's `create_model`."""
    for name, field in section.model_fields.items():
        key = key_of(name, field)
        inner = section_in(field.annotation)
        told = " ".join((field.description or "").split())
        if inner is not None and "list" not in str(field.annotation):
            kind: Any = form_of(inner, f"{path}.{key}".strip("."))
            told = told or opening(inner, key)
        else:
            kind = _bounded(field)
        info = Field(
            default=None,
            alias=key if key != name else None,
            title=key,
            description=told,
            json_schema_extra=_finish,
        )
        yield name, (kind, info)


def _bounded(field: FieldInfo) -> Any:
    """A field's type with its limits."""
    kind: Any = field.annotation
    for limit in field.metadata:
        kind = Annotated[kind, limit]
    return kind


def _finish(schema: dict[str, Any]) -> None:
    """Says a field's limits in words, which Prefect's page shows in no other way.

    Without a default, an untouched field is left out of what the page sends, and stays as in the files.
    """
    schema.pop("default", None)
    for part in (schema, *schema.get("anyOf", ())):
        told = [f"{word} {part[name]:g}" for name, word in _LIMITS.items() if name in part]
        if told:
            schema["description"] = f"{schema['description']} ({', '.join(told)})"


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values; what is no section is a value, even where it is a mapping."""
    for name, value in values.items():
        dotted = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and _is_section(dotted):
            yield from _leaves(value, dotted)
        else:
            yield dotted, value


def _is_section(dotted: str) -> bool:
    """Whether the schema has a section at the dotted key, and not a value."""
    section: type[BaseModel] | None = Params
    for part in dotted.split("."):
        if section is None:
            return False
        fields = {key_of(name, field): field for name, field in section.model_fields.items()}
        section = section_in(fields[part].annotation) if part in fields else None
    return section is not None


if TYPE_CHECKING:

    class ParametersForm(Form):
        """Every parameter, one group a section."""

else:
    ParametersForm = form_of(Params)
