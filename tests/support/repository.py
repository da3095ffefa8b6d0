"""Where this repository is, and the parameters that tests are written for.

Tests read the frozen `tests/support/params.yaml`, never the one at the root: that one is the user's, who
may ask for any product, and the tests must still pass.
"""

from pathlib import Path
from typing import Any

from pipeline.core.params import parse_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PARAMS = REPOSITORY / "tests" / "support" / "params.yaml"
QUICKSTART = REPOSITORY / "tests" / "support" / "quickstart.yaml"


def parameter_values() -> dict[str, Any]:
    """The values of the frozen params.yaml, a new copy for each caller to change."""
    values: dict[str, Any] = parse_yaml(PARAMS.read_text(encoding="utf-8"))
    return values
