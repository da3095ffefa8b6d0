"""Measures how fast datatrove cleans and compares the first of the same texts, for benchmarks.data."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.support.peers import Peer, PeerError
from pipeline.core.progress import say

_ROOT = Path(__file__).resolve().parents[2]
_ROWS = 1500
"""Texts that it gets: its speed is the same for more, and it takes seconds a megabyte."""


def datatrove_speeds(
    texts: Sequence[str], language: str, write: Callable[[Path, Sequence[str]], Path]
) -> dict[str, float]:
    """MB of UTF-8 that datatrove does in a second of processor time.

    Args:
        language: `english` or `korean`.
        write: writes texts into a CSV with the column `text`.

    Returns:
        `cleaning` and `with_near_copies`; nothing where it cannot be installed or fails, with a line
        that says why.
    """
    peer, some = Peer(_ROOT, "datatrove"), texts[:_ROWS]
    size = sum(len(text.encode()) for text in some) / 1e6
    try:
        peer.install()
        with tempfile.TemporaryDirectory() as folder:
            file, seconds = Path(folder) / "texts.csv", Path(folder) / "seconds.json"
            peer.run(write(file, some), language, seconds)
            taken = json.loads(seconds.read_text(encoding="utf-8"))
    except PeerError as error:
        say(f"peer datatrove  left out: {error}")
        return {}
    return {"cleaning": size / taken["cleaning"], "with_near_copies": size / taken["near_copies"]}
