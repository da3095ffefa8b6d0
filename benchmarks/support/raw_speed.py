"""The speed that no server can pass: tokenizer and ONNX Runtime in one process, on one core."""

import os
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmarks.peers.raw_model import RawModel

_WARM_UP = 50
_opened = cache(RawModel)


def raw_speed(folder: Path, texts: Sequence[str], *, core: int, seconds: float) -> float:
    """Texts a second. Binds the whole process to the core: call it in one of its own."""
    os.sched_setaffinity(0, {core})
    model = _opened(folder)
    for number in range(_WARM_UP):
        model.outputs(texts[number % len(texts)])
    count, started = 0, time.perf_counter()
    while (taken := time.perf_counter() - started) < seconds:
        model.outputs(texts[count % len(texts)])
        count += 1
    return count / taken
