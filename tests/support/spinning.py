"""Processes that compute for nothing, which make a machine busy."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pipeline.core.chosen_environment import chosen_environment

_SPIN = "print(flush=True)\nwhile True:\n    pass"


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keeps so many processes computing until the block ends."""
    own = chosen_environment(os.environ)
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", _SPIN], stdout=subprocess.PIPE, env=own)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield
