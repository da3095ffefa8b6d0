"""The DAG as flows see it; tests/test_layout.py holds its names against the files."""

from pathlib import Path

import pytest
import yaml

from flows.planning.dag import Dag, load_dag
from pipeline.core.errors import ArtifactError
from tests.support.repository import REPOSITORY


def dag_of(folder: Path, **stages: tuple[list[str], list[str]]) -> Dag:
    entries = {
        name: {"cmd": f"python -m pipeline.{name}", "deps": deps, "outs": outs}
        for name, (deps, outs) in stages.items()
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": entries}, sort_keys=False))
    return load_dag(folder / "dvc.yaml")


def test_parents_come_before_children_whatever_the_order_in_the_file(tmp_path: Path) -> None:
    dag = dag_of(tmp_path, last=(["b"], ["c"]), middle=(["a"], ["b"]), first=([], ["a"]))
    assert dag.names == ("first", "middle", "last")


def test_a_file_inside_an_output_folder_makes_a_parent(tmp_path: Path) -> None:
    dag = dag_of(tmp_path, one=([], ["out/model"]), two=(["out/model/x.json"], ["y"]))
    assert dag.parents["two"] == ("one",)


def test_descendants_are_all_that_follows_and_nothing_else() -> None:
    dag = load_dag(REPOSITORY / "dvc.yaml")
    assert dag.with_descendants(["quantize"]) == ("quantize", "evaluate", "measure", "gate")
    assert dag.with_descendants([]) == ()
    assert dag.with_ancestors(["prepare"]) == ("collect", "validate", "label", "prepare")


def test_a_circle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="could not be used"):
        dag_of(tmp_path, one=(["b"], ["a"]), two=(["a"], ["b"]))


def test_every_stage_declares_its_metrics() -> None:
    for stage in load_dag(REPOSITORY / "dvc.yaml").stages:
        assert f"artifacts/{stage.name}/metrics.json" in stage.outputs
