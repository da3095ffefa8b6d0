"""Switches that keep every library from sending telemetry.

Each entry point sets them before the libraries are imported; child processes inherit them.
"""

import os
from collections.abc import MutableMapping

SWITCHES = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "ITERATIVE_DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


def switch_off_telemetry(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets every switch in `environment`."""
    environment.update(SWITCHES)
