"""Serve the released model, detached; a server that runs already is kept.

python -m flows.serve [--port 8000]
"""

import argparse
import os
import sys
from pathlib import Path

from flows.release import PORT_VARIABLE
from flows.telemetry import switch_off_telemetry
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.progress import say
from pipeline.release import ledger
from pipeline.release.server_process import (
    DEFAULT_PORT,
    Server,
    running_server,
    start_server,
    wait_for_hash,
)
from pipeline.release.state import ReleaseState

_READY_SECONDS = 30.0


def serve(root: Path, port: int) -> Server:
    """The server of the current release, started if it does not run.

    Raises:
        ReleaseError: nothing is released, or the server does not serve what is.
    """
    state = ReleaseState(root)
    with state.lock():
        if state.journal.exists():
            # A killed release left things half done. Late, because it brings MLflow in.
            from pipeline.release.rollout import repair

            repair(root)
        bundle_hash = state.current()
        if bundle_hash is None:
            raise ReleaseError(
                "no released model",
                expected="a model that passed the gate and was released",
                next_step="run `make pipeline`, or `make quickstart` for a small one",
            )
        server = running_server(state) or start_server(state, port, ledger.now())
    if not wait_for_hash(server.address, bundle_hash, seconds=_READY_SECONDS):
        raise ReleaseError(
            f"{server.address.url} does not serve bundle {bundle_hash[:12]}",
            expected="the released bundle",
            next_step="read .modelyard/logs/server.log; `make stop`, then `make serve`",
        )
    return server


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description=__doc__)
    default = int(os.environ.get(PORT_VARIABLE, DEFAULT_PORT))
    parser.add_argument("--port", type=int, default=default, help="or the next free one")
    options = parser.parse_args()
    switch_off_telemetry()
    try:
        server = serve(Path.cwd(), options.port)
    except PipelineError as error:
        sys.exit(f"serve failed\n  {error}")
    say(
        f"The model is served at {server.address.url}/  (process {server.pid}; `make stop` ends it)"
    )


if __name__ == "__main__":
    main()
