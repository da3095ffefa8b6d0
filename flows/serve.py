"""Serve the released model, detached; a server that runs already is kept.

modelyard serve [--port 8000] [--product NAME]
"""

from pathlib import Path

from pipeline.core.errors import ReleaseError
from pipeline.core.progress import say
from pipeline.release.server_process import (
    ServerProcess,
    is_outdated,
    renew_server,
    running_server,
    start_server,
    wait_for_hash,
)
from pipeline.release.state import ReleaseState, all_states

_READY_SECONDS = 30.0


def serve(root: Path, product: str, port: int) -> ServerProcess:
    """The server of a product's current release, started if it does not run."""
    state = ReleaseState(root, product)
    with state.lock():
        if state.journal.exists():
            # A killed release is finished or undone. Late, because it imports MLflow.
            from pipeline.release.rollout import repair

            repair(state)
        bundle_hash = state.current()
        if bundle_hash is None:
            others = [other.product for other in all_states(root) if other.current()]
            also = f"; or `make serve ARGS='--product {others[0]}'`" if others else ""
            raise ReleaseError(
                f"no released model of {product}",
                expected="a model that passed the gate and was released",
                next_step=f"run `make pipeline`, or `make quickstart` for a small one{also}",
            )
        running = running_server(state)
        if running is not None and is_outdated(running):
            say("The server runs older code than this folder's: its workers are replaced.")
            running = renew_server(state, running)
        server = running or start_server(state, port)
    if not wait_for_hash(server.address, bundle_hash, seconds=_READY_SECONDS):
        raise ReleaseError(
            f"{server.address.url} does not serve bundle {bundle_hash[:12]}",
            expected="the released bundle",
            next_step=f"read {state.logs / 'server.log'}; `make stop`, then `make serve`",
        )
    return server
