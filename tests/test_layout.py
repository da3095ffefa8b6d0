"""One name everywhere: a stage is found by its name in every place."""

import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def stages() -> set[str]:
    return set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


def tracked(*patterns: str) -> list[Path]:
    """Files of git's index that are there; new files count before they are committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_files_of_the_pipeline_are_the_stages_of_the_dag() -> None:
    files = {path.stem for path in ROOT.glob("pipeline/*.py")} - {"__init__"}
    assert files == stages()


def test_every_stage_has_a_section_of_parameters() -> None:
    sections = set(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))
    assert sections - {"product", "compute", "compress"} == stages()


def test_every_stage_has_tests_of_its_name() -> None:
    assert {f"test_{stage}.py" for stage in stages()} <= {p.name for p in ROOT.glob("tests/*.py")}


def test_every_stage_runs_its_own_file_and_writes_into_its_own_folder() -> None:
    definitions = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in definitions.items():
        written = [*stage["outs"], *stage["metrics"], *stage.get("plots", [])]
        paths = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in written]
        assert stage["cmd"].split() == ["python", "-m", f"pipeline.{name}"]
        assert all(path.startswith(f"artifacts/{name}/") for path in paths), name


def test_init_files_are_empty() -> None:
    assert [path for path in tracked("*__init__.py") if path.read_bytes()] == []


def test_every_library_folder_is_a_package() -> None:
    folders = {path.parent for path in tracked("pipeline/**/*.py", "flows/**/*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
