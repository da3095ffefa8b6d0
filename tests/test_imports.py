"""Every import contract can fail: one forbidden import for each, in a copy of the code."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from benchmarks.support import folds
from flows.execution.warm import HEAVY_STAGES
from flows.planning.codelock import CodeLock
from flows.planning.dag import load_dag
from pipeline.core.params import Params
from scripts.import_rules import RULES, with_stages

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

# Contract → a module and an import that the contract forbids it.
VIOLATIONS = {
    "layers": ("pipeline/prune.py", "import pipeline.distill"),
    "problem": ("pipeline/problem/decision.py", "import pydantic"),
    "core": ("pipeline/core/errors.py", "import numpy"),
    "tables": ("pipeline/data/__init__.py", "import torch"),
    "models": ("pipeline/models/__init__.py", "import pipeline.text"),
    "training": ("pipeline/training/__init__.py", "import pipeline.data"),
    "small": ("pipeline/serving/__init__.py", "import mlflow"),
    "server": ("pipeline/runtime/__init__.py", "import starlette"),
    "release": ("pipeline/release/__init__.py", "import pipeline.models"),
    "registry": ("pipeline/release/__init__.py", "import mlflow"),
    "monitoring": ("pipeline/monitoring/__init__.py", "import mlflow"),
    "annotation": ("pipeline/annotation/__init__.py", "import pipeline.models"),
    "active_learning": ("pipeline/active_learning/__init__.py", "import pipeline.release"),
    "batch": ("pipeline/batch/__init__.py", "import torch"),
    "adopt": ("pipeline/adopt/__init__.py", "import pipeline.release"),
    "edge": ("pipeline/edge/__init__.py", "import pipeline.data"),
    "stages": ("pipeline/gate.py", "import prefect"),
    "flows": ("flows/planning/dag.py", "import pipeline.prune"),
}


@pytest.fixture
def contracts() -> dict[str, configparser.SectionProxy]:
    """The contracts of .importlinter."""
    parser = configparser.ConfigParser()
    parser.read(RULES)
    return {
        name.removeprefix("importlinter:contract:"): section
        for name, section in parser.items()
        if name.startswith("importlinter:contract:")
    }


def test_every_contract_notices_its_violation(tmp_path: Path, contracts) -> None:
    assert set(VIOLATIONS) == set(contracts)
    for package in ("pipeline", "flows"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for module, statement in VIOLATIONS.values():
        with (tmp_path / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "300", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    summary = " ".join(done.stdout.split())
    names = [contract["name"] for contract in contracts.values()]
    kept = [name for name in names if not re.search(f"{name} BROKEN", summary)]
    assert done.returncode != 0
    assert not kept, f"not broken by its violation: {kept}\n{done.stdout[-3000:]}"


def test_every_library_folder_has_its_place_in_the_layers(contracts) -> None:
    layers = set(re.findall(r"[\w.]+", contracts["layers"]["layers"]))
    folders = {f"pipeline.{path.parent.name}" for path in ROOT.glob("pipeline/*/__init__.py")}
    assert folders <= layers


STAGES = load_dag(ROOT / "dvc.yaml").names


def test_the_lists_of_stages_are_those_of_the_dag_and_a_new_one_gets_into_each() -> None:
    rules = RULES.read_text(encoding="utf-8")
    assert with_stages(rules, STAGES) == rules, "run `make format`"
    assert len(re.findall(r"pipeline\.grade\b", with_stages(rules, [*STAGES, "grade"]))) == 3


def test_parameters_have_a_section_for_every_stage_in_the_order_of_the_dag() -> None:
    sections = [field.alias or name for name, field in Params.model_fields.items()]
    assert [name for name in sections if name in STAGES] == list(STAGES)
    assert set(sections) - set(STAGES) == {"product", "compute", "compress"}


def test_the_heavy_stages_are_those_that_import_torch_or_transformers() -> None:
    lock = CodeLock(ROOT)
    heavy = {
        stage
        for stage in STAGES
        for module in lock.reached(f"pipeline.{stage}")
        if module.imported & {"torch", "transformers"}
    }
    assert heavy == HEAVY_STAGES
    assert set(folds.STAGES) < set(STAGES)


def cycle_in(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if there are none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", ["flows", "pipeline"])
def test_no_modules_import_each_other_late_imports_included(package: str) -> None:
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert cycle_in(imports) == []
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
