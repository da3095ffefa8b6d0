"""Serve the released model, detached; a server that runs already is kept.

python -m flows.serve [--port 8000] [--product NAME]
"""

import argparse
import sys
from pathlib import Path

from flows.execution.telemetry import switch_off_telemetry
from flows.planning.ports import asked_port
from flows.release import product_of
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.progress import say
from pipeline.release import ledger
from pipeline.release.server_process import (
    Server,
    is_outdated,
    running_server,
    start_server,
    stop_server,
    wait_for_hash,
)
from pipeline.release.state import ReleaseState, all_states

_READY_SECONDS = 30.0


def serve(root: Path, product: str, port: int) -> Server:
    """The server of a product's current release, started if it does not run.

    Raises:
        ReleaseError: nothing is released, or the server does not serve what is.
    """
    state = ReleaseState(root, product)
    with state.lock():
        if state.journal.exists():
            # A killed release left things half done. Late, because it brings MLflow in.
            from pipeline.release.rollout import repair

            repair(state)
        bundle_hash = state.current()
        if bundle_hash is None:
            raise ReleaseError(
                f"no released model of {product}",
                expected="a model that passed the gate and was released",
                next_step=_next_step(root),
            )
        running = running_server(state)
        if running is not None and is_outdated(running):
            say("The server runs older code than this folder's: it is started anew.")
            stop_server(running.pid)
            port = running.port
            running = None
        server = running or start_server(state, port, ledger.now())
    if not wait_for_hash(server.address, bundle_hash, seconds=_READY_SECONDS):
        raise ReleaseError(
            f"{server.address.url} does not serve bundle {bundle_hash[:12]}",
            expected="the released bundle",
            next_step=f"read {state.logs / 'server.log'}; `make stop`, then `make serve`",
        )
    return server


def _next_step(root: Path) -> str:
    others = [state.product for state in all_states(root) if state.current()]
    also = f"; or `make serve ARGS='--product {others[0]}'`, which is released" if others else ""
    return f"run `make pipeline`, or `make quickstart` for a small one{also}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description=__doc__)
    parser.add_argument(
        "--port", type=int, help="or the next free one; else MODELYARD_PORT, else 8000"
    )
    parser.add_argument("--product", help="its name; that of params.yaml unless told")
    options = parser.parse_args()
    switch_off_telemetry()
    root = Path.cwd()
    try:
        server = serve(root, options.product or product_of(root), options.port or asked_port())
    except PipelineError as error:
        sys.exit(f"serve failed\n  {error}")
    say(
        f"The model is served at {server.address.url}/  (process {server.pid}; `make stop` ends it)"
    )


if __name__ == "__main__":
    main()
