"""Processes that compute for nothing, which make a machine busy."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_SPIN = "print(flush=True)\nwhile True:\n    pass"


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keeps so many processes computing until the block ends."""
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", _SPIN], stdout=subprocess.PIPE)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield
