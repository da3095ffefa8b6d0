"""Serve the released model, detached; a server that runs already is kept.

modelyard serve [--port 8000] [--product NAME]
"""

from pathlib import Path

from pipeline.core.errors import ReleaseError
from pipeline.core.progress import say
from pipeline.release.production import note_start, serve_current
from pipeline.release.registry_note import follow_registry, is_behind, registry_note
from pipeline.release.repair import repair
from pipeline.release.server_process import ServerProcess, is_outdated, renew_server, running_server
from pipeline.release.state import ReleaseState, all_states


def serve(root: Path, product: str, port: int) -> ServerProcess:
    """The server of a product's current release, started if it does not run.

    What a killed release left is undone first.
    """
    state = ReleaseState(root, product)
    with state.lock():
        repair(state)
        if state.current() is None:
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
            renew_server(state, running)
        served = serve_current(state, port)
        if served.started:
            note_start(state, served, "`modelyard serve`")
    return served.server


def tell_registry(root: Path, product: str) -> None:
    """Tells MLflow what it could not take before, if there is such; without that it costs nothing."""
    state = ReleaseState(root, product)
    if is_behind(state, registry_note(state)):
        with state.lock():
            follow_registry(state)
