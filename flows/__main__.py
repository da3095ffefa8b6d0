"""`python -m flows VERB …` is `modelyard VERB …`: chooses the environment, then runs the verb.

Python reads some settings only when it starts (PYTHONWARNINGS, the locale's encoding). Where they are
not those that we choose, this process starts itself again, with the terminal's encoding kept.
"""

import os
import sys

from pipeline.core.chosen_environment import (
    choose_environment,
    chosen_environment,
    needs_another_start,
    unusable_settings,
)
from pipeline.core.output import forgive_output


def main() -> int:
    """Runs the verb of the command line; returns the exit code."""
    forgive_output()
    if needs_another_start(os.environ):
        own = {"PYTHONIOENCODING": f"{sys.stdout.encoding}:backslashreplace"}
        command = [sys.executable, "-m", "flows", *sys.argv[1:]]
        os.execve(sys.executable, command, {**chosen_environment(os.environ), **own})  # noqa: S606
    for name, why in unusable_settings(os.environ):
        print(f"{name} is passed over: {why}", file=sys.stderr)
    choose_environment()
    from flows.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
