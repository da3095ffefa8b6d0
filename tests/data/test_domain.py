"""Sentences that read like the product's own are ranked first, whatever their case."""

from pipeline.data.domain import nearest_first

OWN = [
    f"the {noun} is {word}"
    for noun in ("cast", "plot", "score")
    for word in ("good", "dull", "odd")
]
OTHERS = [f"he walks to the {place} and {verb}" for place in ("river", "station", "hill", "shop")
          for verb in ("sleeps", "waits", "sings", "falls")]  # fmt: skip
LIKE = ["THE ENDING IS GOOD!", "The plot, alas, is dull.", "The Score Is Odd"]


def test_the_nearest_come_first() -> None:
    sentences = [*OTHERS[:5], LIKE[0], *OTHERS[5:], LIKE[1], LIKE[2]]
    rows = nearest_first(sentences, OWN, seed=1)
    assert {sentences[row] for row in rows[:3]} == set(LIKE)
    assert sorted(rows) == list(range(len(sentences)))
