"""Memory that a training step frees is kept for the next one, which takes as much.

glibc gives large blocks back to the system as soon as they are free, and the system has to clear every
page of them when they are taken again: on a CPU up to a sixth of a fine-tuning step (docs/log.md,
2026-11-24). The process holds what it needed at its peak until it ends.
"""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""Names of the settings in glibc's malloc.h."""
_SETTINGS = {_MMAP_THRESHOLD: 1 << 30, _TRIM_THRESHOLD: 1 << 30, _TOP_PAD: 1 << 26}


def keep_freed_memory() -> None:
    """Set glibc's allocator so; where there is another one, nothing happens."""
    change = getattr(ctypes.CDLL(None), "mallopt", None)
    if change is None:
        return
    for setting, size in _SETTINGS.items():
        change(ctypes.c_int(setting), ctypes.c_int(size))
