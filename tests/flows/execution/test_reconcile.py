"""A start mends what a kill left, says so, and costs nothing where there is nothing to mend."""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from flows.execution.reconcile import reconcile
from flows.orchestration.run_notes import RunNote
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.files import write_json
from pipeline.core.process_identity import this_process
from tests.support.prefect_api import talking_to
from tests.support.repository import REPOSITORY, commit_all

LOOK = """
import sys
from pathlib import Path
from flows.execution.reconcile import reconcile
reconcile(Path(sys.argv[1]))
print([name for name in ("prefect", "mlflow", "torch", "dvc") if name in sys.modules])
"""


def test_with_nothing_to_mend_it_is_silent_and_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / ".modelyard" / "products" / "reviews").mkdir(parents=True)
    write_json(
        tmp_path / ".modelyard" / "runs" / "living.json",
        asdict(RunNote(run="living", process=this_process())),
    )
    command = [sys.executable, "-c", LOOK, str(tmp_path)]
    environment = chosen_environment(os.environ)
    answer = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_a_worktree_of_a_killed_build_is_removed_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dvc.yaml").touch()
    commit_all(tmp_path)
    folder = tmp_path / ".modelyard" / "worktrees" / "build-1"
    folder.mkdir(parents=True)
    reconcile(tmp_path)
    assert not folder.exists()
    assert "mended  the worktree build-1" in capsys.readouterr().out
    reconcile(tmp_path)
    assert capsys.readouterr().out == ""


def test_a_killed_run_is_told_to_the_server_that_runs(
    tmp_path: Path, prefect_root: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    @flow(name="build")
    def build() -> None:
        pass

    with talking_to(prefect_root[1]), get_client(sync_client=True) as client:
        run = client.create_flow_run(build, state=Running())
        ended = replace(this_process(), started="1")
        note = tmp_path / ".modelyard" / "runs" / f"{run.id}.json"
        write_json(note, asdict(RunNote(run=str(run.id), process=ended)))
        reconcile(tmp_path)
        assert note.exists()  # no server of this project runs: the next start with one tells it
        write_json(tmp_path / ".modelyard" / "ui.json", {"prefect_api": prefect_root[1]})
        reconcile(tmp_path)
        state = client.read_flow_run(run.id).state
    assert not note.exists()
    assert state is not None
    assert state.is_crashed()
    assert "Crashed in Prefect" in capsys.readouterr().out
