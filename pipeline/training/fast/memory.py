"""Keeps the memory that a training step frees for the next step, which needs as much.

glibc returns large blocks to the system as soon as they are free, and the system clears every page
when they are allocated again: on a CPU up to a sixth of a fine-tuning step (docs/log.md,
2026-11-24). With this setting the process keeps its peak memory until it ends.
"""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""The settings' numbers in glibc's malloc.h."""
_SETTINGS = {_MMAP_THRESHOLD: 1 << 30, _TRIM_THRESHOLD: 1 << 30, _TOP_PAD: 1 << 26}


def keep_freed_memory() -> None:
    """Configures glibc's allocator; does nothing where there is another one."""
    change = getattr(ctypes.CDLL(None), "mallopt", None)
    if change is None:
        return
    for setting, size in _SETTINGS.items():
        change(ctypes.c_int(setting), ctypes.c_int(size))
