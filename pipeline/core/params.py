"""The parameters of a build as a frozen, typed model: checked, changed, shown to a stage in part.

The classes of the sections are in `product`, `sections` and `training_sections`. Stages read
build.yaml, in which every value is spelled out; flows/planning/resolution.py makes it of the files
that people write. The code lock leaves this module out: it changes no result that build.yaml does
not show, it only refuses values.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.core import sections, training_sections
from pipeline.core.errors import ParameterError
from pipeline.core.product import Compute, Product, Section
from pipeline.problem.problems import problem_named


class Params(Section):
    """All parameters: what the customer wants, and one section a stage."""

    product: Product
    compute: Compute
    collect: sections.CollectParams
    validate_: Annotated[sections.ValidateParams, Field(alias="validate")]
    label: sections.LabelParams
    prepare: sections.PrepareParams
    baseline: sections.BaselineParams
    pretrain: training_sections.PretrainParams
    finetune: training_sections.FinetuneParams
    transfer: training_sections.TransferParams
    distill: training_sections.DistillParams
    prune: training_sections.PruneParams
    export: sections.ExportParams
    quantize: sections.QuantizeParams
    evaluate: sections.EvaluateParams
    measure: sections.MeasureParams
    gate: sections.GateParams
    compress: training_sections.CompressParams

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        if self.pretrain.sequence_length > self.prepare.max_length:
            raise ValueError(
                f"pretrain.sequence_length at most prepare.max_length ({self.prepare.max_length}):"
                " the student has no more positions than that"
            )
        stride = self.prepare.window_stride
        if self.prepare.teacher_tokenizer == "student" and self.finetune.frozen_layers:
            raise ValueError(
                "finetune.frozen_layers: 0 where prepare.teacher_tokenizer is student, whose embeddings are new"
            )
        if stride is not None and stride >= self.prepare.max_length:
            raise ValueError(
                f"prepare.window_stride less than prepare.max_length ({self.prepare.max_length}):"
                " windows must not skip tokens"
            )
        for source in self.collect.sources:
            if fault := source.product_fault(self.product):
                raise ValueError(f"source {source.name}: {fault}")
        training_sections.check_recipe(self.pretrain, self.distill, self.prune)
        if problem_named(self.product.problem).has_probabilities:
            return self
        for name, unwanted in {
            "label.merge: majority": self.label.merge != "majority",
            "finetune.class_weights: none": self.finetune.class_weights != "none",
            "evaluate.thresholds: fixed": self.evaluate.thresholds != "fixed",
            "evaluate.abstain_quality: null": self.evaluate.abstain_quality is not None,
        }.items():
            if unwanted:
                raise ValueError(f"{name}, for {self.product.problem} has numbers and no labels")
        return self


# libyaml's parser is ten times as fast; a PyYAML without it has its own.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Reads floats as YAML 1.2 does: `5e-5` is a number, as for DVC; to PyYAML it is a string.

    It refuses a key that is there twice, of which PyYAML takes the last without a word.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for name in names:
            if isinstance(name, str) and names.count(name) > 1:
                told = f"found the key `{name}` twice"
                raise yaml.constructor.ConstructorError(None, None, told, node.start_mark)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str) -> Any:
    """Parse YAML as DVC does."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader


PlaceOf = Callable[[str], str]
"""Gives the name of the file, or the command, in which the value of a dotted key stands."""

SOURCES = "collect.sources"
"""The list that stands in a product file under `sources`."""


def load_params(path: Path) -> Params:
    """Reads and checks the parameters of a build, each of which must be spelled out.

    Raises:
        ParameterError: the file is missing, not YAML, not whole, or breaks the schema.
    """
    values = read_mapping(path, next_step="run the command again, which writes the file anew")
    params = parse_params(values, place_of=lambda _: path.name)
    if missing := _first_missing(as_values(params), values):
        raise ParameterError(
            f"{missing} is missing from {path.name}",
            expected="every value spelled out, as `make pipeline` and `modelyard stage` write it",
            next_step="run one of these, which write the file anew",
        )
    return params


def read_mapping(path: Path, *, next_step: str) -> dict[str, Any]:
    """The YAML mapping in a file; `ParameterError` where it is missing or something else."""
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(
            f"{path.name}: {error}", expected="a YAML file in UTF-8", next_step=next_step
        ) from error
    if not isinstance(values, dict):
        raise ParameterError(
            f"{path.name}: {'nothing' if values is None else repr(values)[:100]}",
            expected="sections with keys and values",
            next_step=next_step,
        )
    return values


def parse_params(values: Any, place_of: PlaceOf = lambda _: "params.yaml") -> Params:
    """Checks parameters; `ParameterError` where a key is unknown, missing, or of another type.

    What a customer may leave out gets its default.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise _explain(error, values, place_of) from error


def as_values(params: Params) -> dict[str, Any]:
    """The parameters as a file spells them: sections with keys and values, no default left out."""
    return params.model_dump(by_alias=True)


def override(values: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """A copy of `values` with changes applied, each `section.key=value` with a value in YAML.

    Raises:
        ParameterError: a change has another form, or names an unknown key.
    """
    return with_values(values, dict(map(parse_change, changes)))


def parse_change(change: str) -> tuple[str, Any]:
    """Key and value of `section.key=value`; `ParameterError` for another form."""
    dotted, separator, text = change.partition("=")
    try:
        value = parse_yaml(text)
    except yaml.YAMLError as error:
        raise ParameterError(
            f"{change!r}: {error}",
            expected="section.key=value with a value in YAML",
            next_step="put the value into quotes, as in product.audience='\"Yes: all of us\"'",
        ) from error
    if not separator:
        raise ParameterError(
            repr(change), expected="section.key=value", next_step="write it as in finetune.epochs=1"
        )
    return dotted.strip(), value


def with_values(
    values: Mapping[str, Any], changes: Mapping[str, Any], *, place: str = ""
) -> dict[str, Any]:
    """A copy of `values` with other values of dotted keys.

    A key that the schema has may be new: what has a default need not be there.

    Args:
        place: the file that holds the changes, for messages; empty for the command line.
    """
    copy: dict[str, Any] = deepcopy(dict(values))
    for dotted, value in changes.items():
        *parents, last = dotted.split(".")
        node: Any = copy
        for depth, name in enumerate([*parents, last]):
            known = [*node, *_siblings(parents[:depth])] if isinstance(node, dict) else []
            if name not in known:
                where = f"{dotted} in {place}" if place else dotted
                raise _unknown(where, name, list(dict.fromkeys(known)), place or "params.yaml")
            if depth < len(parents):
                node = node.setdefault(name, {})
        node[last] = value
    return copy


def _first_missing(whole: Any, values: Any, prefix: str = "") -> str | None:
    """The first key of `whole` that `values` lacks, dotted."""
    if isinstance(whole, list) and isinstance(values, list):
        pairs = zip(whole, values, strict=True)
        found = (_first_missing(one, other, prefix) for one, other in pairs)
        return next(filter(None, found), None)
    if not isinstance(whole, dict) or not isinstance(values, dict):
        return None
    for name, inner in whole.items():
        dotted = f"{prefix}.{name}" if prefix else str(name)
        if name not in values:
            return dotted
        if missing := _first_missing(inner, values[name], dotted):
            return missing
    return None


def _explain(error: ValidationError, values: Any, place_of: PlaceOf) -> ParameterError:
    errors = error.errors(include_url=False)
    # A mistyped key is told as that, and not as the key that it leaves missing.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    location, found = first["loc"], first["input"]
    where = ".".join(str(part) for part in location)
    place, shown = place_of(where), _shown(location, values)
    if first["type"] == "extra_forbidden":
        known = _siblings(location[:-1])
        return _unknown(f"{shown} in {place}", str(location[-1]), known, place)
    if first["type"] == "missing":
        return ParameterError(
            f"{shown} is missing from {place}",
            expected=_WHAT_MUST_BE_THERE.get(str(location[0]))
            or "every parameter of the recipe: its schema has no defaults",
            next_step=f"add {shown} to {place}",
        )
    if first["type"] == "string_type" and not isinstance(found, str | dict | list | None):
        return ParameterError(
            f"{shown}: {found!r}, which is no text to YAML",
            expected="text; yes, no, on, off, true, false, null, numbers and dates are text only in quotes",
            next_step=f"write it in quotes in {place}, as {_quoted(found)}",
        )
    together = not where or (isinstance(found, dict) and first["type"] == "value_error")
    return ParameterError(
        f"values of {shown or 'the sections'} that do not fit together"
        if together
        else f"{shown} = {found!r}",
        expected=first["msg"].removeprefix("Value error, "),
        next_step=f"correct {'them' if together else shown} in {place}",
    )


def _quoted(found: Any) -> str:
    """An example of how a value is written so that YAML takes it for text."""
    words = {True: '"yes" or "true"', False: '"no" or "false"'}
    return words[found] if isinstance(found, bool) else f'"{found}"'


_WHAT_MUST_BE_THERE = {
    "product": "a product with at least `name` and `labels`",
    "collect": "`sources`, each with at least `name`, `path` and `text_column`",
}


def _shown(location: tuple[int | str, ...], values: Any) -> str:
    """A location as people write it: of a source, `key of source NAME`."""
    if location[:2] != ("collect", "sources"):
        return ".".join(str(part) for part in location)
    _, name, *rest = location
    if not rest:
        return str(name)
    source = values["collect"]["sources"][rest[0]]
    called = source.get("name") if isinstance(source, dict) else None
    key = ".".join(str(part) for part in rest[1:] if part != "[key]")
    return f"{key} of source {called or int(rest[0]) + 1}".removeprefix(" of ")


def _siblings(location: Iterable[int | str]) -> list[str]:
    """The names that the schema allows at `location`."""
    section: type[BaseModel] | None = Params
    for part in location:
        if section and isinstance(part, str):
            fields = {field.alias or name: field for name, field in section.model_fields.items()}
            section = section_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def _unknown(where: str, name: str, known: list[str], place: str) -> ParameterError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return ParameterError(
        f"unknown parameter {where}",
        expected=f"one of: {', '.join(sorted(known))}" if known else f"a name that {place} has",
        next_step=f"did you mean `{near[0]}`?"
        if near
        else "see docs/guide/parameters.md for the names",
    )


class _Declared:
    """A view of the parameters that refuses to read what `dvc.yaml` does not declare for the stage.

    DVC reruns a stage only where a declared parameter changes, so reading another one would give
    results that are recorded under the wrong parameters.
    """

    def __init__(self, node: Any, keys: frozenset[str], prefix: str) -> None:
        self._node, self._keys, self._prefix = node, keys, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        dotted = f"{self._prefix}{name.rstrip('_')}"
        value = getattr(self._node, name)
        if any(dotted == key or dotted.startswith(f"{key}.") for key in self._keys):
            return value
        if any(key.startswith(f"{dotted}.") for key in self._keys):
            return _Declared(value, self._keys, f"{dotted}.")
        raise ParameterError(
            f"the stage reads {dotted}",
            expected=f"only what dvc.yaml declares for it: {', '.join(sorted(self._keys))}",
            next_step=f"declare {dotted} under the stage's params in dvc.yaml",
        )


def declared(params: Params, keys: Iterable[str]) -> Params:
    """A view of `params` that refuses to read what `keys` (dotted) do not declare.

    The view is typed as `Params`, whose fields it has, but it is a proxy: `isinstance` and
    `model_dump` do not work on it. They work on the declared sections that it gives out.
    """
    return cast("Params", _Declared(params, frozenset(keys), ""))
