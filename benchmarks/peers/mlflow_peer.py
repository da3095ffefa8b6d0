"""MLflow's scoring server with one worker, in an environment of its own.

    python -m benchmarks.peers.mlflow_peer BUNDLE PORT

It saves a model from code with the bundle's bytes and serves it as `mlflow models serve` does.
"""

import os
import sys
from pathlib import Path

import mlflow

from benchmarks.peers.raw_model import own_folder, read_place


def main() -> None:
    """Serves until it is killed."""
    folder, port = read_place(__doc__ or "")
    saved = own_folder() / "model"
    mlflow.pyfunc.save_model(
        saved,
        python_model=str(Path(__file__).with_name("mlflow_model.py")),
        artifacts={"bundle": str(folder)},
        pip_requirements=[],
    )
    # It starts `uvicorn` by its name.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(saved)]
    options = ["--env-manager", "local", "--workers", "1", "--port", str(port)]
    os.execv(sys.executable, [*command, *options])  # noqa: S606


if __name__ == "__main__":
    main()
