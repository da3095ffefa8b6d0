"""Stop what `make serve` and `make ui` started, with all that those started, and wait for it.

python -m flows.stop
"""

from pathlib import Path

from flows.ui import run_command, stop_ui
from pipeline.core.progress import say
from pipeline.release.server_process import stop_all
from pipeline.release.state import all_states


def stop(root: Path) -> list[str]:
    """Stop everything; returns the names of what ran."""
    served = [f"server of {state.product}" for state in all_states(root) if stop_all(state)]
    return [*stop_ui(root), *served]


def main() -> None:
    """Command line."""

    def work() -> None:
        stopped = stop(Path.cwd().resolve())
        say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing ran.")

    run_command("stop", work)


if __name__ == "__main__":
    main()
