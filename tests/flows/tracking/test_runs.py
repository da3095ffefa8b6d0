"""Records of runs: there from the start to the end, whatever happens, and one answer a key."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.tracking.runs import in_one_line, once, read_runs, recorded
from pipeline.core.errors import PipelineError
from tests.support.repository import REPOSITORY

HOLD = """
import sys
from pathlib import Path
from flows.tracking.runs import once, recorded
with once(Path(sys.argv[1]), "export 7") as done, recorded(
    Path(sys.argv[1]), reason="x", key="export 7"
) as run:
    print("held", flush=True)
    sys.stdin.read()
    run.end("kept", "so")
"""


def test_a_key_in_work_elsewhere_is_refused_and_then_answered(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert next(read_runs(tmp_path)).end == "running"
        with pytest.raises(PipelineError, match="is under way"), once(tmp_path, "export 7"):
            pass
        process.stdin.close()
    assert process.returncode == 0
    with once(tmp_path, "export 7") as done:
        assert done is not None
        assert (done.end, done.why) == ("kept", "so")
    with once(tmp_path, "export 8") as done:
        assert done is None


def test_a_record_that_cannot_be_written_does_not_hide_the_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail_without_a_folder(tmp_path)


def _fail_without_a_folder(root: Path) -> None:
    with recorded(root, reason="x"):
        folder = root / ".modelyard" / "retrains"
        folder.rename(root / "gone")
        folder.write_text("a file in the way")
        raise ZeroDivisionError


def test_a_damaged_record_is_passed_over(tmp_path: Path) -> None:
    with recorded(tmp_path, reason="x") as run:
        run.end("kept", "so")
    (tmp_path / ".modelyard" / "retrains" / "zzz.json").write_text("{")
    assert [found.reason for found in read_runs(tmp_path)] == ["x"]


def test_an_error_is_told_in_one_line() -> None:
    error = PipelineError("no rows", expected="rows", next_step="bring some")
    assert in_one_line(error) == "no rows; next: bring some"
    assert in_one_line(KeyboardInterrupt()) == "stopped (KeyboardInterrupt)"
