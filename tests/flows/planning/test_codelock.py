"""The code lock sees what changes a result, and nothing else."""

import ast
from pathlib import Path

import pytest
import yaml

from flows.planning.codelock import LEFT_OUT, check_code_lock, compute_code_lock, refresh_code_lock
from pipeline.core.errors import ArtifactError
from tests.support.repository import REPOSITORY

FILES = {
    "pipeline/__init__.py": "",
    "pipeline/one.py": "from pipeline.library import shared\nX = shared.double(2)\n",
    "pipeline/two.py": "def run():\n    from pipeline.library.late import help\n    return help()\n",
    "pipeline/three.py": "from pipeline.core.params import P\nY = P\n",
    "pipeline/library/__init__.py": "",
    "pipeline/library/shared.py": '"""Doc."""\n\n\ndef double(x):\n    """Doc."""\n    return 2 * x\n',
    "pipeline/library/late.py": "from . import deep\n\n\ndef help():\n    return deep.Z\n",
    "pipeline/library/deep.py": "import numpy\n\nZ = 1\nT = 'a text'\n",
    "pipeline/core/__init__.py": "",
    "pipeline/core/params.py": "P = 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    stages = {name: {"cmd": f"python -m pipeline.{name}"} for name in ("one", "two", "three")}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    refresh_code_lock(tmp_path)
    return tmp_path


def replace(project: Path, name: str, old: str, new: str) -> None:
    path = project / "pipeline" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_template_counts_as_code_of_the_module_of_its_name(project: Path) -> None:
    template = project / "pipeline/library/deep.md.j2"
    template.write_text("# Two\n")
    assert refresh_code_lock(project) == ["two"]
    template.write_text("# Two, in other words\n")
    assert refresh_code_lock(project) == ["two"]
    (project / "pipeline/library/unused.md.j2").write_text("# Nobody's\n")
    assert refresh_code_lock(project) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        ("library/shared.py", "2 * x", "3 * x", ["one"]),
        ("library/deep.py", "Z = 1", "Z = 2", ["two"]),
        ("library/deep.py", "'a text'", "'another'", ["two"]),
        ("three.py", "Y = P", "Y = P + 1", ["three"]),
        ("core/params.py", "P = 1", "P = 2", []),
        ("library/shared.py", '"""Doc."""', '"""Another text."""', []),
        ("library/shared.py", "return 2", "# why\n\n    return 2", []),
    ],
)
def test_a_changed_line_of_code_changes_exactly_the_stages_that_reach_it(
    project: Path, name: str, old: str, new: str, stages: list[str]
) -> None:
    replace(project, name, old, new)
    assert refresh_code_lock(project) == stages


def test_a_version_of_a_library_counts_for_those_that_import_it_and_its_suffix_does_not(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, changed in (("0.0.1", ["two"]), ("0.0.1+cpu", [])):
        monkeypatch.setattr("importlib.metadata.version", lambda _, found=version: found)
        assert refresh_code_lock(project) == changed


def test_check_names_the_stale_stages_and_writes_nothing(project: Path) -> None:
    check_code_lock(project)
    replace(project, "one.py", "2", "4")
    text = (project / "code.lock.json").read_text()
    with pytest.raises(ArtifactError, match="stale for one"):
        check_code_lock(project)
    assert (project / "code.lock.json").read_text() == text


def test_a_stage_without_a_file_is_named(project: Path) -> None:
    (project / "pipeline" / "one.py").unlink()
    with pytest.raises(ArtifactError, match=r"pipeline/one\.py is missing"):
        compute_code_lock(project)


def test_the_code_lock_of_this_repository_is_fresh() -> None:
    check_code_lock(REPOSITORY)


def test_a_left_out_module_holds_no_constant_that_code_outside_the_core_reads() -> None:
    # A stage's hash would not change with such a constant, though its result may.
    constants = {
        name
        for module in LEFT_OUT
        for name in public_constants(REPOSITORY / f"{module.replace('.', '/')}.py")
    }
    read = [
        f"{path.relative_to(REPOSITORY)}: {alias.name}"
        for path in sorted((REPOSITORY / "pipeline").rglob("*.py"))
        if path.parent != REPOSITORY / "pipeline/core"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in LEFT_OUT
        for alias in node.names
        if alias.name in constants
    ]
    assert read == []


def public_constants(path: Path) -> list[str]:
    """Names that a module's own statements give a value to, outside functions and classes."""
    return [
        name.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        if not name.id.startswith("_")
    ]
