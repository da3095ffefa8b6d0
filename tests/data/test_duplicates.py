"""Near copies: the prefix filter finds the same clusters as comparing every pair."""

import random

from pipeline.data.duplicates import near_duplicates, near_pairs


def grams(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(len(text) - 4, 1))}


def brute_force(texts: list[str], similarity: float) -> list[int]:
    firsts = list(range(len(texts)))
    for i, first in enumerate(texts):
        for j in range(i):
            a, b = grams(first), grams(texts[j])
            if len(a & b) / len(a | b) >= similarity:
                old, new = max(firsts[i], firsts[j]), min(firsts[i], firsts[j])
                firsts = [new if root == old else root for root in firsts]
    return firsts


def test_clusters_equal_those_of_comparing_every_pair() -> None:
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    words = ["film", "story", "warm", "dull", "actor", "never", "quite", "laughs", "slow", "a"]
    texts = []
    for _ in range(60):
        text = " ".join(chance.choices(words, k=12))
        texts += [text, text[:-3], text + " indeed"]
    for similarity in (0.5, 0.8, 0.95, 1.0):
        assert near_duplicates(texts, similarity=similarity) == brute_force(texts, similarity)


def test_a_text_shorter_than_a_gram_is_compared_whole() -> None:
    assert near_duplicates(["wow", "wow!", "wow", "ok"], similarity=0.8) == [0, 1, 0, 3]


def test_rows_that_belong_together_join_the_clusters_they_are_in() -> None:
    texts = ["a b c d e f", "other words", "a b c d e f!", "nothing alike", "far away"]
    alone = near_duplicates(texts, similarity=0.6)
    assert alone == [0, 1, 0, 3, 4]
    assert near_duplicates(texts, similarity=0.6, together=[[1, 2], [3]]) == [0, 0, 0, 3, 4]


def test_near_pairs_equal_those_of_comparing_every_pair() -> None:
    chance = random.Random(4)  # noqa: S311 - test data, not a secret
    words = ["film", "story", "warm", "dull", "actor", "never", "a"]
    others = [" ".join(chance.choices(words, k=9)) for _ in range(40)] + ["ok", ""]
    texts = [f"{other} too"[cut:] for other in others for cut in (0, 2, 6)]
    texts += ["", "ok", f"{others[0]} {others[1]} {others[2]} {others[3]}"]
    for similarity in (0.3, 0.7, 0.9, 1.0):
        assert near_pairs(texts, others, similarity=similarity) == [
            (row, place)
            for row, text in enumerate(texts)
            for place, other in enumerate(others)
            if len(grams(text) & grams(other)) / len(grams(text) | grams(other)) >= similarity
        ]
    assert near_pairs(texts, [], similarity=0.8) == near_pairs([], others, similarity=0.8) == []
