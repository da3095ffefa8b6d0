"""One name everywhere: a stage, and the test of a module, are found by name."""

import ast
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from flows.planning.resolution import PRODUCT_FILE
from pipeline.core.params import parse_params, with_values
from tests.support.repository import PARAMS, QUICKSTART, parameter_values

ROOT = Path(__file__).resolve().parent.parent
# Places where a user's own files stand: they may be tracked, and are no part of this house.
USERS = ("data/", "annotations/")
CODE = ("pipeline/*.py", "flows/*.py", "benchmarks/*.py", "scripts/*.py")
# Openings that leave a reader to guess what the thing returns or does.
RIDDLE = re.compile(r"(Of|The same|By|Those|That|These|Than|What)\b")
# Test files that no one module gives its name to.
OTHER_TESTS = {
    "tests/test_docs.py": "Markdown",
    "tests/test_imports.py": ".importlinter",
    "tests/test_layout.py": "the tree itself",
    "tests/test_pretrain_inputs.py": "the second file of tests/test_pretrain.py: what comes in",
    "tests/benchmarks/test_compression_field.py": "what benchmarks/compression.py has in its support",
}


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def stages() -> dict[str, Any]:
    return dict(read_yaml(ROOT / "dvc.yaml")["stages"])


def tracked(*patterns: str) -> list[Path]:
    """Files of git's index that are there; new files count before they are committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith(USERS)]
    return [path for name in names if (path := ROOT / name).is_file()]


def test_every_stage_has_a_file_a_section_of_parameters_and_tests_of_its_name() -> None:
    assert {path.stem for path in ROOT.glob("pipeline/*.py")} - {"__init__"} == stages().keys()
    sections = read_yaml(ROOT / "params.yaml").keys()
    assert sections - {"compute", "compress"} == stages().keys()
    assert {f"test_{stage}.py" for stage in stages()} <= {p.name for p in ROOT.glob("tests/*.py")}


def test_every_stage_runs_its_own_file_and_writes_into_its_own_folder() -> None:
    for name, stage in stages().items():
        written = [*stage["outs"], *stage["metrics"], *stage.get("plots", [])]
        paths = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in written]
        assert stage["cmd"].split() == ["python", "-m", f"pipeline.{name}"]
        assert all(path.startswith(f"artifacts/{name}/") for path in paths), name


def test_every_library_folder_is_a_package_whose_init_file_is_empty() -> None:
    assert [path for path in tracked("*__init__.py") if path.read_bytes()] == []
    folders = {path.parent for path in tracked("pipeline/**/*.py", "flows/**/*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_frozen_parameters_of_tests_are_valid_and_have_the_keys_of_the_users_file() -> None:
    profile = read_yaml(QUICKSTART)
    profile.pop(PRODUCT_FILE)
    parse_params(with_values(parameter_values(), profile))
    own, frozen = (
        {name: set(section) for name, section in read_yaml(path).items()}
        for path in (ROOT / "params.yaml", PARAMS)
    )
    assert own == frozen


def test_no_test_reads_the_users_parameters() -> None:
    """A product of one's own must not break the tests; those below read names of keys alone."""
    readers = {
        str(path.relative_to(ROOT))
        for path in tracked("tests/*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(
            r"(ROOT|REPOSITORY|PROJECT|parents?\b.*) / \"(params\.yaml|product\.yaml|profiles)",
            line,
        )
    }
    assert readers == {"tests/test_layout.py"}


def test_every_test_file_is_named_after_the_module_it_tests() -> None:
    """`tests/<room>/test_<x>.py` tests `pipeline/<room>/<x>.py`, or `<room>/<x>.py` of another package.

    `tests/behaviour` and `tests/end_to_end` test what many modules do together.
    """
    lost = []
    for path in tracked("tests/*test_*.py"):
        name = path.relative_to(ROOT / "tests")
        module = name.with_name(name.name.removeprefix("test_"))
        together = name.parts[0] in ("behaviour", "end_to_end")
        if not (together or (ROOT / "pipeline" / module).exists() or (ROOT / module).exists()):
            lost.append(str(path.relative_to(ROOT)))
    assert set(lost) == set(OTHER_TESTS)


def test_no_two_files_of_code_have_one_name() -> None:
    """One name means one place, so that a search for it ends there."""
    counted = Counter(path.name for path in tracked(*CODE) if path.name != "__init__.py")
    assert [name for name, count in counted.items() if count > 1] == []


def test_first_lines_of_docstrings_say_what_the_thing_is_or_does() -> None:
    riddles = [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}  {text.splitlines()[0]}"
        for path in tracked(*CODE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if RIDDLE.match(text := ast.get_docstring(node) or "")
    ]
    assert riddles == [], "say it plainly (CONTRIBUTING.md): `Returns the …`, `Trains …`, `The …`"
