"""The DAG as flows see it, and the rule of one name everywhere."""

from pathlib import Path

import pytest
import yaml

from flows.planning.dag import load_dag
from pipeline.core.errors import ArtifactError
from pipeline.core.params import Params

ROOT = Path(__file__).resolve().parents[3]


def write_dag(path: Path, stages: dict[str, tuple[list[str], list[str]]]) -> Path:
    entries = {
        name: {"cmd": f"python -m pipeline.{name}", "deps": deps, "outs": outs}
        for name, (deps, outs) in stages.items()
    }
    path.write_text(yaml.safe_dump({"stages": entries}, sort_keys=False))
    return path


def test_parents_come_before_children_whatever_the_order_in_the_file(tmp_path: Path) -> None:
    path = write_dag(
        tmp_path / "dvc.yaml",
        {"last": (["b"], ["c"]), "middle": (["a"], ["b"]), "first": ([], ["a"])},
    )
    assert load_dag(path).names == ("first", "middle", "last")


def test_a_file_inside_an_output_folder_makes_a_parent(tmp_path: Path) -> None:
    path = write_dag(
        tmp_path / "dvc.yaml", {"one": ([], ["out/model"]), "two": (["out/model/x.json"], ["y"])}
    )
    assert load_dag(path).parents["two"] == ("one",)


def test_descendants_are_all_that_follows_and_nothing_else() -> None:
    dag = load_dag(ROOT / "dvc.yaml")
    assert dag.with_descendants(["quantize"]) == ("quantize", "evaluate", "measure", "gate")
    assert dag.with_descendants([]) == ()


def test_a_circle_is_refused(tmp_path: Path) -> None:
    path = write_dag(tmp_path / "dvc.yaml", {"one": (["b"], ["a"]), "two": (["a"], ["b"])})
    with pytest.raises(ArtifactError, match="could not be used"):
        load_dag(path)


def test_the_files_in_pipeline_are_the_stages() -> None:
    files = {path.stem for path in (ROOT / "pipeline").glob("*.py")} - {"__init__"}
    assert files == set(load_dag(ROOT / "dvc.yaml").names)


def test_a_stage_has_one_name_everywhere() -> None:
    sections = {field.alias or name for name, field in Params.model_fields.items()}
    for stage in load_dag(ROOT / "dvc.yaml").stages:
        assert stage.command == f"python -m pipeline.{stage.name}"
        assert stage.name in sections
        assert all(out.startswith(f"artifacts/{stage.name}/") for out in stage.outputs)
        assert f"artifacts/{stage.name}/metrics.json" in stage.outputs
