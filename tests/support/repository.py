"""Where this repository is, and the parameters that tests are written for.

Tests read the frozen `tests/support/params.yaml`, never the one at the root: that one is the user's, who
may ask for any product, and the tests must still pass.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.params import parse_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PARAMS = REPOSITORY / "tests" / "support" / "params.yaml"
QUICKSTART = REPOSITORY / "tests" / "support" / "quickstart.yaml"


def commit_all(root: Path) -> None:
    """Makes the folder a git repository with one commit of all that is there."""
    author = ["-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=root, env=chosen_environment(os.environ), check=True)


def parameter_values() -> dict[str, Any]:
    """The values of the frozen params.yaml, a new copy for each caller to change."""
    values: dict[str, Any] = parse_yaml(PARAMS.read_text(encoding="utf-8"))
    return values
