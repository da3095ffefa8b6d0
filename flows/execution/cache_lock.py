"""Builds use DVC's cache side by side; clearing it is done while none runs.

A lock on a file in the cache itself: every build holds it shared, `modelyard tidy` holds it alone. Clones
that share one cache share the lock, too.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import PipelineError

_FILE = "modelyard.lock"


@contextmanager
def cache_in_use(cache: Path) -> Iterator[None]:
    """Keeps the cache from being cleared; waits while it is."""
    with _locked(cache, fcntl.LOCK_SH):
        yield


@contextmanager
def cache_alone(cache: Path) -> Iterator[None]:
    """Keeps builds from starting.

    Raises:
        PipelineError: one runs.
    """
    try:
        with _locked(cache, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise PipelineError(
            "a build is under way",
            expected="none, since it may be about to use what would be removed",
            next_step="wait until it ends, or stop it, then run the same command again",
        ) from None


@contextmanager
def _locked(cache: Path, how: int) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(cache / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
