"""run_stage: declared parameters in, metrics out; and the key that says where work may be resumed."""

import os
import random
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.core import stage
from pipeline.core.errors import DataError, RequirementsMissedError
from pipeline.core.failure import StageFailure, load_failure
from pipeline.core.files import read_json, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import INPUT_KEY_VARIABLE, Run, run_stage
from tests.support.repository import parameter_values

LABEL: dict[str, Any] = {
    "cmd": "python -m pipeline.label",
    "deps": ["annotations", "rows.txt"],
    "params": [{"build.yaml": ["label", "compute.seed"]}, {"code.lock.json": ["label"]}],
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A folder with all parameters and a DAG of one stage; the working directory."""
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(parameter_values()))
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"label": LABEL}}))
    write_json(tmp_path / "code.lock.json", {"label": "a" * 64, "gate": "b" * 64})
    (tmp_path / "annotations").mkdir()
    (tmp_path / "rows.txt").write_text("one row")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(INPUT_KEY_VARIABLE, "of another stage")
    return Paths(root=tmp_path, stage="label")


def key_of(paths: Paths) -> str:
    return stage.input_key(paths, stage.stage_definition(paths, "label"))


def set_parameter(paths: Paths, section: str, **values: Any) -> None:
    parameters = yaml.safe_load(paths.build.read_text())
    parameters[section] |= values
    paths.build.write_text(yaml.safe_dump(parameters))


def failing(error: Exception) -> Run:
    def run(params: Params, paths: Paths) -> Mapping[str, Any]:
        raise error

    return run


def test_metrics_are_written_and_the_headline_told(
    workspace: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(params: Params, paths: Paths) -> Mapping[str, Any]:
        assert paths.out.is_dir()
        return {"alpha": params.label.min_agreement, "headline": "all agreed"}

    run_stage("label", run)
    metrics = read_json(workspace.out / "metrics.json")
    assert metrics == {"alpha": 0.6, "headline": "all agreed"}
    begun, ended = capsys.readouterr().out.splitlines()
    assert begun == "label  started"
    assert ended.startswith("label  done in ")
    assert ended.endswith("all agreed")


def test_metrics_that_cannot_be_written_leave_the_old_ones(workspace: Paths) -> None:
    run_stage("label", lambda params, paths: {"loss": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_stage("label", lambda params, paths: {"loss": float("nan")})
    assert read_json(workspace.out / "metrics.json") == {"loss": 1.0}
    assert [path.name for path in workspace.out.iterdir()] == ["metrics.json"]


def test_a_failure_is_one_message_and_exit_code_1(
    workspace: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    error = DataError("4 rows", expected="50 rows", next_step="collect more")
    with pytest.raises(SystemExit) as caught:
        run_stage("label", failing(error))
    assert caught.value.code == 1
    shown = capsys.readouterr()
    assert shown.err == ("label failed\n  got: 4 rows\n  expected: 50 rows\n  next: collect more\n")
    assert "done" not in shown.out
    assert not (workspace.out / "metrics.json").exists()
    assert load_failure(workspace.root, "label") == StageFailure(
        stage="label", kind="DataError", got="4 rows", expected="50 rows", next_step="collect more"
    )


def test_a_gate_that_lets_nothing_pass_names_the_nearest_variant_and_what_it_misses(
    workspace: Paths,
) -> None:
    error = RequirementsMissedError(
        "none", expected="one", next_step="shrink", nearest="pruned-int8", missed=("size_mb",)
    )
    with pytest.raises(SystemExit):
        run_stage("label", failing(error))
    failure = load_failure(workspace.root, "label")
    assert failure is not None
    assert failure.requirements_missed
    assert (failure.nearest, failure.missed) == ("pruned-int8", ("size_mb",))


@pytest.mark.parametrize("name", ["compute.threads", "finetune"])
def test_parameters_that_are_not_declared_stop_the_stage(
    workspace: Paths, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        run_stage("label", lambda params, paths: {"value": attrgetter(name)(params)})
    assert f"the stage reads {name}" in capsys.readouterr().err


def test_parameters_that_are_wrong_stop_the_stage_before_it_begins(
    workspace: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    set_parameter(workspace, "label", min_agreement="much")
    called: list[Paths] = []
    with pytest.raises(SystemExit):
        run_stage("label", lambda params, paths: called.append(paths) or {})  # type: ignore[func-returns-value]
    assert "label.min_agreement" in capsys.readouterr().err
    assert called == []


def test_an_error_of_the_program_is_not_hidden(workspace: Paths) -> None:
    with pytest.raises(ZeroDivisionError):
        run_stage("label", lambda params, paths: {"share": 1 / 0})
    assert load_failure(workspace.root, "label") is None


def test_the_stage_finds_its_own_input_key(workspace: Paths) -> None:
    run_stage("label", lambda params, paths: {"key": os.environ[INPUT_KEY_VARIABLE]})
    assert read_json(workspace.out / "metrics.json")["key"] == key_of(workspace)


def test_every_run_begins_with_the_same_random_numbers(workspace: Paths) -> None:
    drawn = []
    for _ in range(2):
        run_stage("label", lambda params, paths: drawn.append(random.random()) or {})  # type: ignore[func-returns-value]  # noqa: S311
    assert drawn[0] == drawn[1]


def test_the_seed_reaches_libraries_that_are_loaded() -> None:
    import numpy as np
    import torch

    def draw(seed: int) -> tuple[float, float]:
        stage.seed_everything(seed)
        return float(np.random.random()), float(torch.rand(()))

    assert draw(3) == draw(3)
    assert draw(3)[0] != draw(4)[0]
    assert draw(3)[1] != draw(4)[1]


CHANGES: dict[str, Callable[[Paths], object]] = {
    "a parameter": lambda paths: set_parameter(paths, "label", min_agreement=0.5),
    "the seed": lambda paths: set_parameter(paths, "compute", seed=2),
    "a file": lambda paths: paths.root.joinpath("rows.txt").write_text("other"),
    "a file in a folder": lambda paths: (paths.annotations / "a.csv").write_text("id"),
    "a file that is gone": lambda paths: paths.root.joinpath("rows.txt").unlink(),
    "the code": lambda paths: write_json(paths.code_lock, {"label": "c" * 64, "gate": "b" * 64}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_input_key_changes_with_all_that_decides_the_output(
    workspace: Paths, change: str
) -> None:
    before = key_of(workspace)
    CHANGES[change](workspace)
    assert key_of(workspace) != before


def test_the_input_key_does_not_change_with_what_the_stage_never_reads(workspace: Paths) -> None:
    before = key_of(workspace)
    set_parameter(workspace, "compute", threads=1)
    set_parameter(workspace, "finetune", epochs=9)
    write_json(workspace.code_lock, {"label": "a" * 64, "gate": "c" * 64})
    (workspace.root / "notes.txt").write_text("anything")
    assert key_of(workspace) == before


def test_parameters_edited_while_a_stage_runs_fail_it_and_leave_no_metrics(
    workspace: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(params: Params, paths: Paths) -> Mapping[str, Any]:
        set_parameter(paths, "label", min_agreement=0.1)
        return {"headline": "done"}

    with pytest.raises(SystemExit):
        run_stage("label", run)
    assert "changed while it ran" in capsys.readouterr().err
    assert not (workspace.out / "metrics.json").exists()
