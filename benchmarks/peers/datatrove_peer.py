"""Datatrove in an environment of its own: texts of a CSV cleaned, searched for personal data, without near copies.

    python -m benchmarks.peers.datatrove_peer FILE.csv LANGUAGE SECONDS.json

LANGUAGE is `english` or `korean`; it chooses datatrove's own splitter of words. All settings are its defaults.
What it leaves are seconds of processor time: `cleaning` for reading, mending with ftfy and replacing
personal data, and `near_copies` for that and its four steps of MinHash.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Step = Callable[..., Iterable[Any] | None]


def measure(file: Path, language: str) -> dict[str, float]:
    """Runs both chains of steps in this process, each once.

    Args:
        file: a CSV with the one column `text`.
    """
    from datatrove.pipeline.dedup import (  # type: ignore[import-not-found]
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter  # type: ignore[import-not-found]
    from datatrove.pipeline.readers.csv import CsvReader  # type: ignore[import-not-found]
    from datatrove.utils.typeshelper import Languages  # type: ignore[import-not-found]

    def cleaning() -> list[Step]:
        reader = CsvReader(str(file.parent), glob_pattern=file.name)
        return [reader, FTFYFormatter(), PIIFormatter()]

    with tempfile.TemporaryDirectory() as folder:
        signatures, buckets, removed = (f"{folder}/{name}" for name in ("sigs", "buckets", "ids"))
        in_language = getattr(Languages, language)
        signing = MinhashDedupSignature(signatures, language=in_language)
        signing.get_shingles("one text, so that no splitter of words is loaded while time runs")
        started = time.process_time()
        _run(cleaning())
        cleaned = time.process_time()
        _run([*cleaning(), signing])
        for number in range(signing.config.num_buckets):
            _run([MinhashDedupBuckets(signatures, buckets)], rank=number, of=14)
        _run([MinhashDedupCluster(buckets, removed)])
        _run([*cleaning(), MinhashDedupFilter(removed)])
        ended = time.process_time()
    return {"cleaning": cleaned - started, "near_copies": ended - cleaned}


def _run(steps: Iterable[Step], *, rank: int = 0, of: int = 1) -> None:
    """Runs the steps as datatrove's executors do: each takes what the one before it yields."""
    rows: Iterable[Any] | None = None
    for step in steps:
        rows = step(rows, rank, of)
    for _ in rows or ():
        pass


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("language", choices=["english", "korean"])
    parser.add_argument("seconds", type=Path)
    options = parser.parse_args()
    seconds = measure(options.file, options.language)
    options.seconds.write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
