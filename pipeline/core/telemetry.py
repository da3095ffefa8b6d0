"""Switches that keep every library from sending telemetry.

`chosen_environment` sets them for every process of this project, before its libraries are imported.
"""

import os
from collections.abc import MutableMapping

SWITCHES = {
    "DO_NOT_TRACK": "1",  # Prefect's SDK, Hugging Face, and others that follow the custom
    "DVC_NO_ANALYTICS": "1",
    "ITERATIVE_DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Since 1.29 ONNX Runtime reports on Linux too, from its import on: microsoft/onnxruntime #27379.
    "ORT_DISABLE_TELEMETRY": "1",
}


def switch_off_telemetry(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets every switch in `environment`."""
    environment.update(SWITCHES)
