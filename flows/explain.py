"""Explain a parameter: its meaning, its value, where it is read, which stages it reruns.

modelyard explain finetune.epochs [--json] [--profile NAME] [--product FILE]
"""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.planning.arithmetic import explained
from flows.planning.codelock import CodeLock
from flows.planning.dag import load_dag
from flows.planning.resolution import PLAIN, Variation, read_layers, resolve
from flows.planning.schema import Parameter, all_parameters
from pipeline.core.errors import ParameterError
from pipeline.core.params import Params, as_values
from pipeline.core.paths import Paths

DEFAULT = "no file, so the default holds"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The facts about one parameter.

    Attributes:
        value: as a build takes it; of a key in a list of sections, one value an entry.
        file: where the value stands: a file, or the schema for a default.
        read: places that read it, `path:line`.
        declared_by: stages that declare it in dvc.yaml.
        reruns: those and their descendants, in order.
        here: what the value comes to on this machine; empty where that is the value.
    """

    key: str
    kind: str
    meaning: str
    value: Any
    file: str
    read: list[str]
    declared_by: list[str]
    reruns: list[str]
    here: str


def explain(root: Path, key: str, variation: Variation = PLAIN) -> Explanation:
    """Everything about one parameter, or about a section by its name.

    Raises:
        ParameterError: there is no such key, or a file is wrong.
    """
    parameter = _find_parameter(key)
    plain = _plain(parameter.path)
    layers = read_layers(root, variation)
    params = resolve(layers)
    dag, lock = load_dag(Paths(root).dag), CodeLock(root)
    stages = [
        stage.name
        for stage in dag.stages
        if any(
            f"{plain}.".startswith(f"{n}.") or n.startswith(f"{plain}.") for n in stage.parameters
        )
    ]
    reached = (lock.reached(f"pipeline.{stage}") for stage in stages or dag.names)
    files = {module.path for modules in reached for module in modules}
    return Explanation(
        key=parameter.path,
        kind=parameter.kind,
        meaning=parameter.meaning,
        value=_value(as_values(params), plain.split(".")),
        file=layers.place_of(plain) if layers.says(plain) else DEFAULT,
        read=[
            f"{file.relative_to(root)}:{line}"
            for file in sorted(files.union((root / "flows").rglob("*.py")))
            for line in sorted(set(_reading_lines(file, parameter)))
        ],
        declared_by=stages,
        reruns=list(dag.with_descendants(stages)),
        here=explained(root, params.compute) if _is_decided_here(plain, params) else "",
    )


def _is_decided_here(key: str, params: Params) -> bool:
    return key == "compute.precision" and params.compute.precision == "auto"


def _find_parameter(key: str) -> Parameter:
    """The parameter of that name; `[]` may be left out, and `sources` named as in a product file."""
    known = {_plain(parameter.path): parameter for parameter in all_parameters()}
    for name in (_plain(key), f"collect.{_plain(key)}"):
        if (found := known.get(name)) is not None:
            return found
    near = difflib.get_close_matches(_plain(key), known, n=1, cutoff=0.5)
    raise ParameterError(
        f"unknown parameter {key}",
        expected="a key of params.yaml or of a product file, as docs/guide/parameters.md lists them",
        next_step=f"did you mean `{near[0]}`?" if near else "see docs/guide/parameters.md",
    )


def _reading_lines(file: Path, parameter: Parameter) -> Iterator[int]:
    """Lines that read the parameter from its section, or from a name that stands for the section.

    Such a name is assigned the section (`settings = params.finetune`) or annotated with its class.
    """
    *_, section, key = ("params", *_plain(parameter.path).split("."))
    owners = {owner.__name__ for owner in parameter.owner.__mro__ if issubclass(owner, BaseModel)}
    tree, names = ast.parse(file.read_text(encoding="utf-8")), {section}
    for node in ast.walk(tree):
        match node:
            case (
                ast.arg(arg=name, annotation=ast.expr() as kind)
                | ast.AnnAssign(target=ast.Name(id=name), annotation=kind)
            ):
                if not owners.isdisjoint(re.findall(r"\w+", ast.unparse(kind))):
                    names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=attribute)):
                if attribute.rstrip("_") == section:
                    names.add(name)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=found, value=ast.Name(id=base) | ast.Attribute(attr=base)):
                if found.rstrip("_") == key and base.strip("_") in names:
                    yield node.lineno


def _plain(path: str) -> str:
    return path.replace("[]", "")


def _value(values: Any, parts: Sequence[str]) -> Any:
    if not parts:
        return values
    if isinstance(values, list):
        return [_value(value, parts) for value in values]
    return None if values is None else _value(values.get(parts[0]), parts[1:])
