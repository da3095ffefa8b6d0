"""`modelyard why`: the last runs, however they ended, for a person and for a program."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from flows.cli import main
from flows.tracking.runs import recorded
from flows.why import as_text, last_runs
from pipeline.core.errors import DataError
from tests.support.repository import REPOSITORY


def fill(root: Path) -> None:
    """Four runs: released, failed, stopped, and one whose process was killed."""
    with recorded(root, reason="weekly schedule") as run:
        run.note(product="tickets", branch="main", commit="a" * 40, changed=["sources"])
        run.end("released", "Shown to be better, released.", now="b" * 64)
    missing = DataError("rows.csv is empty", expected="rows", next_step="bring them")
    with suppress(DataError), recorded(root, reason="schedule, 5 missed", key="k"):
        raise missing
    with suppress(KeyboardInterrupt), recorded(root, reason="by hand"):
        raise KeyboardInterrupt
    code = (
        "import os, sys; from pathlib import Path; from flows.tracking.runs import recorded\n"
        "run = recorded(Path(sys.argv[1]), reason='trigger'); run.__enter__()\n"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(root)], cwd=REPOSITORY, check=False)
    assert ended.returncode == -9


def test_every_run_says_why_it_ran_and_how_it_ended(tmp_path: Path) -> None:
    fill(tmp_path)
    runs = last_runs(tmp_path, count=10)
    assert [(run.reason, run.end) for run in runs] == [
        ("trigger", "killed"),
        ("by hand", "cancelled"),
        ("schedule, 5 missed", "failed"),
        ("weekly schedule", "released"),
    ]
    text = as_text(runs)
    assert "RELEASED  tickets  0.0 min" in text
    assert "aaaaaaaaaa of main" in text
    assert "rows.csv is empty; next: bring them" in text
    assert [run.product for run in last_runs(tmp_path, count=1, product="tickets")] == ["tickets"]


def test_a_program_gets_every_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["why", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [run["end"] for run in told] == ["killed", "cancelled", "failed"]
    assert told[2]["key"] == "k"
    assert told[0]["minutes"] is None
    assert main(["why", "0"]) == 1


def test_before_the_first_run_it_says_so(tmp_path: Path) -> None:
    assert as_text(last_runs(tmp_path, count=5)) == "No retraining was started here yet."
