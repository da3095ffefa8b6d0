"""`python -m flows` goes on in the chosen environment, and starts again only where Python needs it."""

import os
import subprocess
import sys

import pytest

from pipeline.core.chosen_environment import chosen_environment, needs_another_start
from tests.support.repository import REPOSITORY


def modelyard(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=REPOSITORY,
        env=chosen_environment(os.environ) | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        pytest.param(
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, marks=pytest.mark.soak
        ),
        {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"},
    ],
)
def test_a_verb_answers_in_any_terminal(environment: dict[str, str]) -> None:
    done = modelyard("explain", "product.labels", **environment)
    assert done.returncode == 0, done.stderr
    assert b"product.labels" in done.stdout
    failed = modelyard("explain", "상담.없음", **environment)
    assert (failed.returncode, b"Traceback" in failed.stderr) == (1, False), failed.stderr


def test_a_passed_over_setting_is_said_in_one_line() -> None:
    done = modelyard("explain", "compute.seed", ALL_PROXY="socks5://127.0.0.1:9")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        b"ALL_PROXY is passed over: a socks5 proxy, for which no package is installed"
    ]


def test_only_what_python_reads_at_its_start_starts_it_again() -> None:
    assert not needs_another_start({"PYTHONUTF8": "1", "GIT_DIR": "/x", "PYTHONPATH": "/y"})
    assert needs_another_start({"PYTHONWARNINGS": "error"})
