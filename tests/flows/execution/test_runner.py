"""Stages under real DVC: only what is stale runs, and a failure leaves what stood."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flows.execution.by_hand import run_by_hand
from flows.execution.locks import build_lock
from flows.execution.runner import Runner, StageFailedError, open_runner
from flows.execution.workspace import open_workspace, workspace_for
from flows.planning.codelock import refresh_code_lock
from flows.planning.resolution import Variation, refresh_build_file, resolved
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.failure import load_failure
from pipeline.core.params import load_params
from tests.support.mini_repo import make_mini_repo, mini_environment, set_parameter
from tests.support.small_disk import small_disk


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_mini_repo(tmp_path_factory.mktemp("mini"))
    refresh_build_file(root)
    refresh_code_lock(root)
    with runner_in(root) as runner:
        for stage in ("collect", "validate", "label", "gate"):
            assert runner.run(stage, ignore).state == "ran"
    return root


@contextmanager
def runner_in(root: Path) -> Iterator[Runner]:
    with build_lock(root) as lock:
        runner = open_runner(root, root=root, lock=lock)
        own = {"DVC_SITE_CACHE_DIR": mini_environment(root)["DVC_SITE_CACHE_DIR"]}
        yield replace(runner, environment={**runner.environment, **own})


def ignore(line: str) -> None:
    del line


def test_changes_run_what_follows_from_them_and_failures_leave_what_stood(built: Path) -> None:
    with runner_in(built) as runner:
        assert runner.stale_stages() == []
        with (built / "pipeline" / "text" / "bare_words.py").open("a") as code:
            code.write("# Only a comment.\n")
        refresh_code_lock(built)
        assert runner.stale_stages() == []

        set_parameter(built, "gate.golden_requests", 3)
        refresh_build_file(built)
        assert runner.stale_stages() == ["gate"]

        (built / "artifacts" / "label" / "records.txt").unlink()
        assert set(runner.stale_stages()) >= {"label", "gate"}
        assert runner.run("label", ignore).state == "cached"
        assert runner.run("gate", ignore).state == "ran"
        runner.close()

        before = (built / "artifacts" / "validate" / "records.txt").read_text()
        (built / "data" / "text.txt").write_text("a bad text")
        runner.run("collect", ignore)
        lines: list[str] = []
        with pytest.raises(StageFailedError) as failure:
            runner.run("validate", lines.append)
        assert failure.value.got == "a bad text"
        assert failure.value.next_step == "mend data/text.txt"
        assert failure.value.failure == load_failure(built, "validate")
        assert failure.value.failure.kind == "DataError"
        assert "validate  started" in lines
        assert (built / "artifacts" / "validate" / "records.txt").read_text() == before

        (built / "data" / "text.txt").write_text("one two three")
        assert runner.run("collect", ignore).state == "cached"
        assert runner.run("validate", ignore).state == "cached"
        runner.close()


def test_a_file_that_dvc_add_tracks_is_no_stage_and_is_never_checked_out(built: Path) -> None:
    notes = built / "notes.csv"
    notes.write_text("as it was added")
    with runner_in(built) as runner:
        runner.track("notes.csv")
        notes.write_text("as it is now")
        assert runner.stale_stages() == []
        runner.checkout()
        assert notes.read_text() == "as it is now"
        runner.close()
        with pytest.raises(PipelineError, match=r"dvc add nothing\.csv failed"):
            runner.track("nothing.csv")


HOLDER = """
import fcntl, os, sys, time
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(f" {os.getpid()}\\n")
    lock.flush()
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_dvc(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that DVC's lock file takes for a `dvc` of somebody else."""
    command = [sys.executable, "-c", script, *arguments, "dvc", "exp", "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_stage_that_is_killed_says_which_signal_and_its_peak_memory(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SILENT_SECONDS", "1")
    (built / "data" / "text.txt").write_text("one killed")
    lines: list[str] = []
    with runner_in(built) as usual:
        runner = replace(usual, silence=0.3)
        runner.run("collect", ignore)
        with pytest.raises(StageFailedError) as failure:
            runner.run("validate", lines.append)
        (built / "data" / "text.txt").write_text("one two three")
        runner.run("collect", ignore)
    assert any("still working" in line for line in lines)
    assert failure.value.failure.kind == "crash"
    said = re.fullmatch(
        r"validate was killed by signal 9 \(SIGKILL\); peak memory (\d+) MB", failure.value.got
    )
    assert said is not None, failure.value.got
    assert 300 <= int(said[1]) < 600


def test_a_build_says_for_which_dvc_it_waits_and_gives_up_after_a_time(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with runner_in(built) as usual:
        runner = replace(usual, silence=0.2, patience=1.0)
        with (
            another_dvc(HOLDER, str(built / ".dvc/tmp/lock")) as other,
            pytest.raises(PipelineError, match=f"process {other.pid} .* holds DVC's lock"),
        ):
            runner.stale_stages()
        assert f"status  waits for process {other.pid}" in capsys.readouterr().out
        runner.stale_stages()
        assert "{" not in capsys.readouterr().out


def test_a_stage_waits_for_a_dvc_by_hand_that_uses_the_same_files(built: Path) -> None:
    lines: list[str] = []
    with runner_in(built) as runner, another_dvc("print('held', flush=True); input()") as other:
        path = str(built / "artifacts" / "label" / "records.txt")
        locks = built / ".dvc" / "tmp" / "rwlock"
        locks.write_text(json.dumps({"write": {path: {"pid": other.pid, "cmd": "dvc exp run"}}}))

        def listen(line: str) -> None:
            lines.append(line)
            if "waits" in line:
                other.kill()
                other.wait()

        assert runner.run("label", listen).state == "cached"
    assert any(f"label  waits: process {other.pid} (dvc exp run)" in line for line in lines)


def test_a_full_disk_is_one_message_and_with_room_the_result_is_that_of_an_undisturbed_run(
    built: Path,
) -> None:
    lines: list[str] = []
    recorded = (built / "dvc.lock").read_text()
    with runner_in(built) as runner, small_disk(built / "artifacts", kilobytes=200) as disk:
        (built / "data" / "text.txt").write_text("word " * 100_000)
        with pytest.raises(StageFailedError) as failure:
            runner.run("collect", lines.append)
        assert failure.value.failure.kind == "DiskFullError"
        place = built / "artifacts" / "collect" / "records.txt"
        assert re.search(
            rf"disk is full: {place} could not be written, [\d,]+ bytes", failure.value.got
        )
        assert re.fullmatch(r"more than [\d,]+ bytes for it", failure.value.expected)
        assert "Traceback" not in "\n".join(lines)
        assert (built / "dvc.lock").read_text() == recorded
        disk.grow()
        assert runner.run("collect", ignore).state == "ran"
        with_room = (built / "dvc.lock").read_text()
        (built / "data" / "text.txt").write_text("one two three")
        assert runner.run("collect", ignore).state == "cached"
    with runner_in(built) as runner:
        (built / "data" / "text.txt").write_text("word " * 100_000)
        assert runner.run("collect", ignore, force=True).state == "ran"
        assert (built / "dvc.lock").read_text() == with_room
        (built / "data" / "text.txt").write_text("one two three")
        runner.run("collect", ignore)


def test_the_closing_check_names_what_is_stale_and_runs_nothing(built: Path) -> None:
    recorded, parameters = (built / "dvc.lock").read_bytes(), (built / "params.yaml").read_bytes()
    before = (built / "artifacts" / "gate" / "metrics.json").stat().st_mtime_ns
    set_parameter(built, "gate.golden_requests", 5)
    refresh_build_file(built)
    with runner_in(built) as runner:
        with pytest.raises(PipelineError, match="gate"):
            runner.close()
        assert (built / "dvc.lock").read_bytes() == recorded
        assert (built / "artifacts" / "gate" / "metrics.json").stat().st_mtime_ns == before
        (built / "params.yaml").write_bytes(parameters)
        refresh_build_file(built)
        runner.close()


def test_a_worktree_takes_from_the_cache_and_leaves_the_parameters_alone(built: Path) -> None:
    before = (built / "params.yaml").read_bytes()
    (built / "notes.txt").write_text("not committed")
    params = resolved(built, Variation(changes=["gate.golden_requests=7"]))
    with open_workspace(built, name="x", params=params) as workspace:
        assert load_params(workspace / "build.yaml").gate.golden_requests == 7
        assert (workspace / "notes.txt").read_text() == "not committed"
        assert (workspace / ".modelyard/checkpoints").resolve() == built / ".modelyard/checkpoints"
        with runner_in(workspace) as runner:
            runner.checkout()
            assert runner.stale_stages() == ["gate"]
            assert runner.run("gate", ignore).state == "ran"
        with pytest.raises(PipelineError, match="already running"):
            open_workspace(built, name="x", params=params).__enter__()
    assert not workspace.exists()
    assert (built / "params.yaml").read_bytes() == before
    assert (built / ".modelyard/checkpoints").is_dir()


def test_a_worktree_is_not_made_for_an_unknown_parameter(built: Path) -> None:
    with pytest.raises(ParameterError, match="golden_request"):
        workspace_for(built, Variation(changes=["gate.golden_request=7"]))
    assert not [*(built / ".modelyard/worktrees").glob("*")]


def test_one_stage_by_hand_runs_as_in_a_build_and_plainly_beside_dvc(
    built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", mini_environment(built)["DVC_SITE_CACHE_DIR"])
    run_by_hand(built, "collect", force=False, plain=False)
    assert "up to date: nothing to do" in capsys.readouterr().out
    run_by_hand(built, "collect", force=True, plain=False)
    assert "collect  done in" in capsys.readouterr().out
    run_by_hand(built, "collect", force=False, plain=True)
    assert "DVC does not record" in capsys.readouterr().out
    other = Variation(product="movie-review-sentiment")
    with pytest.raises(PipelineError, match="no build of movie-review-sentiment"):
        run_by_hand(built, "collect", force=False, plain=False, variation=other)
    with pytest.raises(ParameterError, match="--plain and --product"):
        run_by_hand(built, "collect", force=False, plain=True, variation=other)
    with pytest.raises(ParameterError, match="no stage 'collects'"):
        run_by_hand(built, "collects", force=False, plain=False)
