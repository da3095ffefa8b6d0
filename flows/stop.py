"""Stop the processes that `modelyard serve` and `modelyard ui` started, and wait for them."""

from pathlib import Path

from flows.ui import stop_ui
from pipeline.release.server_process import stop_all
from pipeline.release.state import all_states


def stop(root: Path) -> list[str]:
    """Stops everything; returns the names of what ran."""
    served = [f"server of {state.product}" for state in all_states(root) if stop_all(state)]
    return [*stop_ui(root), *served]
