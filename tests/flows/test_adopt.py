"""The folder in which an adopted model's stages run, and how a failure in it is told."""

import os
from pathlib import Path

import pytest

from flows.adopt import ROW_STAGES, AdoptRequest, ProcessFailedError, adopt, make_folder, run_in
from flows.planning.dag import load_dag
from flows.planning.resolution import PLAIN
from pipeline.core.errors import ParameterError
from pipeline.core.files import write_json
from pipeline.core.paths import BUILD_FILE
from tests.support.repository import REPOSITORY


def workspace_in(root: Path) -> Path:
    """What the folder is made from: settings, code, and the results of every stage."""
    for stage in load_dag(REPOSITORY / "dvc.yaml").names:
        (root / "artifacts" / stage).mkdir(parents=True)
        (root / "artifacts" / stage / "result.txt").write_text(stage, encoding="utf-8")
    for name in (BUILD_FILE, "dvc.yaml", "code.lock.json", "machine.json"):
        (root / name).write_text(name, encoding="utf-8")
    (root / "pipeline").mkdir()
    return root


def test_the_folder_has_the_rows_and_no_result_of_a_training_stage(tmp_path: Path) -> None:
    make_folder(tmp_path / "folder", workspace_in(tmp_path / "workspace"))
    found = {path.name for path in (tmp_path / "folder" / "artifacts").iterdir()}
    assert found == set(ROW_STAGES)
    assert (tmp_path / "folder/artifacts/prepare/result.txt").read_text(
        encoding="utf-8"
    ) == "prepare"
    assert (tmp_path / "folder" / BUILD_FILE).read_text(encoding="utf-8") == BUILD_FILE


def test_nothing_of_an_earlier_adoption_stays_and_what_was_linked_is_whole(tmp_path: Path) -> None:
    workspace, folder = workspace_in(tmp_path / "workspace"), tmp_path / "folder"
    make_folder(folder, workspace)
    write_json(folder / "artifacts" / "adopt" / "adoption.json", {})
    make_folder(folder, workspace)
    assert not (folder / "artifacts" / "adopt").exists()
    assert (workspace / "artifacts" / "prepare" / "result.txt").exists()


def test_the_stages_before_the_models_are_all_those_that_make_rows() -> None:
    names = load_dag(REPOSITORY / "dvc.yaml").names
    assert tuple(names[: len(ROW_STAGES)]) == ROW_STAGES


def test_a_module_runs_in_the_folder_and_its_failure_is_one(tmp_path: Path) -> None:
    (tmp_path / "works.py").write_text(
        "import sys, pathlib; pathlib.Path('done').write_text(sys.argv[1])", encoding="utf-8"
    )
    (tmp_path / "fails.py").write_text("raise SystemExit(3)", encoding="utf-8")
    run_in(tmp_path, "works", ["a b"], os.environ)
    assert (tmp_path / "done").read_text(encoding="utf-8") == "a b"
    with pytest.raises(ProcessFailedError, match="fails ended with exit code 3"):
        run_in(tmp_path, "fails", [], os.environ)


def test_a_model_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no such file or folder"):
        adopt(tmp_path, AdoptRequest(path=tmp_path / "nowhere"), PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_options_become_words_and_a_path_is_never_taken_for_one(tmp_path: Path) -> None:
    request = AdoptRequest(path=tmp_path / "-x", class_name="Cnn", licence="MIT OR Apache-2.0")
    expected = ["--class=Cnn", "--licence=MIT OR Apache-2.0", "--", str(tmp_path / "-x")]
    assert request.arguments() == expected
