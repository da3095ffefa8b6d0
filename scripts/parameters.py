"""Write docs/guide/parameters.md from the schema: every parameter, its type and its meaning.

    python -m scripts.parameters            # run after a change of the schema

A test fails while the page is not what the schema says.
"""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.core.files import write_text
from pipeline.core.params import Params

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guide" / "parameters.md"
HEAD = """# Parameters

Every key of `params.yaml`. The schema has no defaults: what is not in `params.yaml` is not decided
anywhere. A mistyped name is refused, with the nearest valid one.

Change a value in the file, or for one run only: `make pipeline SET="finetune.epochs=1"`.

This page is made from `pipeline/core/product.py` and the `sections` beside it by
`python -m scripts.parameters`.
"""


class Parameter(NamedTuple):
    """One key of params.yaml; `path` is dotted, `[]` marks the entries of a list."""

    path: str
    kind: str
    meaning: str


def main() -> None:
    """Write the page."""
    write_text(PAGE, page())


def page() -> str:
    """The whole page as Markdown."""
    return HEAD + "".join(
        _section(_key(name, field), field) for name, field in Params.model_fields.items()
    )


def parameters(model: type[BaseModel], prefix: str) -> Iterator[Parameter]:
    """Every parameter below `model`, depth first, in the order of the schema."""
    for name, field in model.model_fields.items():
        path = f"{prefix}.{_key(name, field)}"
        yield Parameter(path, _kind(field), field.description or "")
        if inner := section_in(field.annotation):
            yield from parameters(inner, path + "[]" * _is_list(field))


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def _section(name: str, field: FieldInfo) -> str:
    model = section_in(field.annotation)
    assert model is not None, name  # noqa: S101 - every field of Params is a section
    rows = "".join(
        f"| `{p.path}` | {p.kind} | {_cell(p.meaning)} |\n" for p in parameters(model, name)
    )
    opening = " ".join((model.__doc__ or "").split()).removeprefix(f"{name}: ")
    opening = opening[:1].upper() + opening[1:]
    return f"\n## {name}\n\n{opening}\n\n| key | type | meaning |\n|---|---|---|\n{rows}"


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _is_list(field: FieldInfo) -> bool:
    return "list" in _name(field.annotation).split()


def _kind(field: FieldInfo) -> str:
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
    plain = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return plain.get(annotation, "null")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
