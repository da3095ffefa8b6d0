"""params.yaml as a frozen, typed model: read, checked, changed, and shown to a stage only in part.

The classes of the sections are in `product`, `sections` and `training_sections`. The code lock leaves
this module out: no field has a default, so it changes no result, it only refuses values.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.core import sections, training_sections
from pipeline.core.errors import ParameterError
from pipeline.core.product import Compute, Product, Section
from pipeline.problem.problems import problem_named


class Params(Section):
    """All parameters: one field for each section of params.yaml."""

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
            "finetune.class_weights: none": self.finetune.class_weights != "none",
            "evaluate.thresholds: fixed": self.evaluate.thresholds != "fixed",
            "evaluate.abstain_quality: null": self.evaluate.abstain_quality is not None,
        }.items():
            if unwanted:
                raise ValueError(f"{name}, for {self.product.problem} has numbers and no labels")
        return self


class _Loader(yaml.SafeLoader):
    """Reads floats as YAML 1.2 does: `5e-5` is a number, as for DVC; to PyYAML it is a string."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str) -> Any:
    """Parse YAML as DVC does."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader


def load_params(path: Path, changes: Sequence[str] = ()) -> Params:
    """Read and check params.yaml, with `section.key=value` changes applied.

    Raises:
        ParameterError: it is missing, not YAML, or breaks the schema.
    """
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParameterError(
            f"{path.name}: {error}",
            expected="a YAML file",
            next_step=f"restore it with `git checkout {path.name}`",
        ) from error
    return parse_params(override(values, changes) if changes else values)


def parse_params(values: Any) -> Params:
    """Check parameters; `ParameterError` where a key is unknown, missing, or of another type."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise _explain(error) from error


def override(values: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """A copy of `values` with changes applied, each `section.key=value` with a value in YAML.

    Raises:
        ParameterError: a change has another form, or names an unknown key.
    """
    copy = cast("dict[str, Any]", yaml.safe_load(yaml.safe_dump(values)))
    for change in changes:
        dotted, separator, text = change.partition("=")
        if not separator:
            raise ParameterError(
                repr(change),
                expected="section.key=value",
                next_step="write it as in finetune.epochs=1",
            )
        *parents, last = dotted.strip().split(".")
        node: Any = copy
        for name in [*parents, last]:
            known = list(node) if isinstance(node, dict) else []
            if name not in known:
                raise _unknown(dotted, name, known)
            parent, node = node, node[name]
        parent[last] = parse_yaml(text)
    return copy


def _explain(error: ValidationError) -> ParameterError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(where, str(first["loc"][-1]), _siblings(first["loc"][:-1]))
    if first["type"] == "missing":
        return ParameterError(
            f"{where} is missing from params.yaml",
            expected="every parameter: the schema has no defaults",
            next_step=f"add {where} to params.yaml",
        )
    value = f"{where} = {first['input']!r}"
    return ParameterError(
        value if where else "values in params.yaml that do not fit together",
        expected=first["msg"].removeprefix("Value error, "),
        next_step=f"correct {where or 'them'} in params.yaml, the command or the profile",
    )


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The names that the schema allows at `location`."""
    section: type[BaseModel] | None = Params
    for part in location:
        if section and isinstance(part, str):
            fields = {field.alias or name: field for name, field in section.model_fields.items()}
            section = section_in(fields[part].annotation)
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def _unknown(where: str, name: str, known: list[str]) -> ParameterError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return ParameterError(
        f"unknown parameter {where}",
        expected=f"one of: {', '.join(sorted(known))}" if known else "a name that params.yaml has",
        next_step=f"did you mean `{near[0]}`?" if near else "see params.yaml for the names",
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
