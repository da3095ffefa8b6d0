"""Output never ends the work: not a sign the terminal lacks, not a reader who left, not a closed stream."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import chosen_environment
from tests.support.repository import REPOSITORY

SAY = """
import sys
from pathlib import Path
from pipeline.core.output import forgive_output
forgive_output()
from pipeline.core.progress import say
for _ in range(3000):
    say("collect  상담기록: 12 rows → ✓ …")
print("done …", file=sys.stderr)
Path(sys.argv[1]).write_text("상담", encoding="utf-8")
"""


def run(
    tmp_path: Path, shell: str = '"$@"', **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run SAY through a shell command; its last act is to write `written`."""
    script = tmp_path / "say.py"
    script.write_text(SAY, encoding="utf-8")
    return subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, script, str(tmp_path / "written")],
        cwd=REPOSITORY,
        env=chosen_environment(os.environ) | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "euc-kr:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "no_SUCH.LOCALE", "PYTHONUTF8": "0"},
    ],
)
def test_what_a_terminal_cannot_show_is_replaced(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = run(tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"collect") == 3000
    assert (tmp_path / "written").read_text(encoding="utf-8") == "상담"


@pytest.mark.parametrize(
    "shell",
    [
        'set -o pipefail; "$@" | head -1',
        '"$@" >&-',
        '"$@" 2>&-',
        '"$@" >&- 2>&- <&-',
        '"$@" > /dev/full 2>&1',
    ],
)
def test_a_reader_who_leaves_a_closed_stream_or_a_full_disk_does_not_end_the_work(
    tmp_path: Path, shell: str
) -> None:
    done = run(tmp_path, shell)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "written").read_text(encoding="utf-8") == "상담"
