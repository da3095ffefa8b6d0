"""Sentences that read like the product's own are found among others, whatever their case."""

from pipeline.data.domain import nearest_to_domain

OWN = [
    f"the {noun} is {word}"
    for noun in ("cast", "plot", "score")
    for word in ("good", "dull", "odd")
]
OTHERS = [f"he walks to the {place} and {verb}" for place in ("river", "station", "hill", "shop")
          for verb in ("sleeps", "waits", "sings", "falls")]  # fmt: skip
LIKE = ["THE ENDING IS GOOD!", "The plot, alas, is dull.", "The Score Is Odd"]


def test_the_nearest_are_chosen_in_their_order() -> None:
    sentences = [*OTHERS[:5], LIKE[0], *OTHERS[5:], LIKE[1], LIKE[2]]
    rows = nearest_to_domain(sentences, OWN, count=3, seed=1)
    assert [sentences[row] for row in rows] == LIKE


def test_all_are_taken_where_there_are_no_more() -> None:
    assert nearest_to_domain(OTHERS, OWN, count=99, seed=1).tolist() == list(range(len(OTHERS)))
