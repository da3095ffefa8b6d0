"""Explain a parameter: its meaning, its value, where it is read, which stages it reruns.

    modelyard explain finetune.epochs [--json]

Where it is read is found in the syntax trees: `params.finetune.epochs`, a name that stands for the
section (`settings = params.finetune`), or one that is annotated with the section's class.
"""

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.planning.codelock import CodeLock
from flows.planning.dag import Dag, load_dag
from flows.planning.schema import Parameter, all_parameters
from pipeline.core.errors import ParameterError
from pipeline.core.params import load_params, parse_yaml
from pipeline.core.paths import Paths


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The facts about one parameter.

    Attributes:
        value: as in params.yaml; of a key in a list of sections, one value an entry.
        read: places that read it, `path:line`.
        declared_by: stages that declare it in dvc.yaml.
        reruns: those and their descendants, in order.
    """

    key: str
    kind: str
    meaning: str
    value: Any
    read: list[str]
    declared_by: list[str]
    reruns: list[str]


def explain(root: Path, key: str) -> Explanation:
    """Everything about one key of params.yaml, a section's name included.

    Raises:
        ParameterError: there is no such key, or params.yaml is wrong.
    """
    parameter = find_parameter(key)
    plain = _plain(parameter.path)
    load_params(Paths(root).params)
    values = parse_yaml(Paths(root).params.read_text(encoding="utf-8"))
    dag = load_dag(Paths(root).dag)
    stages = [stage.name for stage in dag.stages if _declares(stage.parameters, plain)]
    return Explanation(
        key=parameter.path,
        kind=parameter.kind,
        meaning=parameter.meaning,
        value=_value(values, plain.split(".")),
        read=places(root, parameter, dag=dag, stages=stages),
        declared_by=stages,
        reruns=list(dag.with_descendants(stages)),
    )


def find_parameter(key: str) -> Parameter:
    """The parameter of that name; `[]` after a list may be left out.

    Raises:
        ParameterError: there is none; the message names the nearest.
    """
    known = {_plain(parameter.path): parameter for parameter in all_parameters()}
    if (found := known.get(_plain(key))) is not None:
        return found
    near = difflib.get_close_matches(_plain(key), known, n=1, cutoff=0.5)
    raise ParameterError(
        f"unknown parameter {key}",
        expected="a key of params.yaml, as docs/guide/parameters.md lists them",
        next_step=f"did you mean `{near[0]}`?" if near else "see docs/guide/parameters.md",
    )


def places(root: Path, parameter: Parameter, *, dag: Dag, stages: Sequence[str]) -> list[str]:
    """Lines that read the parameter, in what the stages reach and in flows/; each `path:line`."""
    lock = CodeLock(root)
    names = stages or dag.names
    files = {module.path for stage in names for module in lock.reached(f"pipeline.{stage}")}
    files |= set((root / "flows").rglob("*.py"))
    return [
        f"{file.relative_to(root)}:{line}"
        for file in sorted(files)
        for line in sorted(set(reading_lines(file.read_text(encoding="utf-8"), parameter)))
    ]


def reading_lines(code: str, parameter: Parameter) -> Iterator[int]:
    """Numbers of the lines of a module that read the parameter."""
    *_, section, name = ("params", *_plain(parameter.path).split("."))
    owners = {
        owner.__name__
        for owner in parameter.owner.__mro__
        if name in getattr(owner, "model_fields", {}) or owner is parameter.owner
    }
    tree = ast.parse(code)
    annotated, aliases = _annotations(tree), _aliases(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr.rstrip("_") != name:
            continue
        base = _last_name(node.value)
        if section in {base.rstrip("_"), aliases.get(base)} or owners & annotated.get(base, set()):
            yield node.lineno


def _annotations(tree: ast.AST) -> dict[str, set[str]]:
    """Name of an argument or field, without leading `_` → names in its annotations."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            name, annotation = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation = node.target.id, node.annotation
        else:
            continue
        names = {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}
        found.setdefault(name.lstrip("_"), set()).update(names)
    return found


def _aliases(tree: ast.AST) -> dict[str, str]:
    """Name → the attribute that it was assigned: `settings = params.finetune` gives `finetune`."""
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for one, value in pairs:
                if isinstance(value, ast.Attribute):
                    found[_last_name(one)] = value.attr.rstrip("_")
    return found


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr.lstrip("_")
    return node.id.lstrip("_") if isinstance(node, ast.Name) else ""


def _declares(declared: Sequence[str], key: str) -> bool:
    return any(
        key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.") for name in declared
    )


def _plain(path: str) -> str:
    return path.replace("[]", "")


def _value(values: Any, parts: Sequence[str]) -> Any:
    if not parts:
        return values
    if isinstance(values, list):
        return [_value(value, parts) for value in values]
    return None if values is None else _value(values.get(parts[0]), parts[1:])
