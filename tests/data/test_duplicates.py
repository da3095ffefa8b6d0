"""Near copies: the prefix filter finds the same clusters as comparing every pair."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.data.compared_texts import ComparedTexts
from pipeline.data.duplicates import near_duplicates, near_pairs
from pipeline.data.text_characters import Rows
from tests.support.grams import likeness


def brute_force(texts: list[str], similarity: float) -> list[int]:
    firsts = list(range(len(texts)))
    for i, first in enumerate(texts):
        for j in range(i):
            if likeness(first, texts[j]) >= similarity:
                old, new = max(firsts[i], firsts[j]), min(firsts[i], firsts[j])
                firsts = [new if root == old else root for root in firsts]
    return firsts


def template_rows(count: int) -> list[str]:
    """Rows of one template: some are near copies of each other by a name, some by a number."""
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    names = ["anna", "bartholomew", "c", "dr david davidson"]
    return [
        f"dear {chance.choice(names)} your order {chance.randrange(10**6)} has left our house "
        f"and is on its way{chance.choice(['', '', ' thank you', ' by train'])}"
        for _ in range(count)
    ]


def test_clusters_equal_those_of_comparing_every_pair() -> None:
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    words = ["film", "story", "warm", "dull", "actor", "never", "quite", "laughs", "slow", "a"]
    texts = []
    for _ in range(40):
        text = " ".join(chance.choices(words, k=12))
        texts += [text, text[:-3], text + " indeed"]
    for similarity in (0.5, 0.8, 0.95, 1.0):
        assert near_duplicates(texts, similarity=similarity) == brute_force(texts, similarity)


def test_rows_of_a_template_have_the_clusters_of_comparing_every_pair() -> None:
    texts = template_rows(200)
    found = near_duplicates(texts, similarity=0.8)
    assert found == brute_force(texts, 0.8)
    assert 1 < len(set(found)) < len(texts)


def test_few_of_the_pairs_of_a_template_with_many_values_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A search that looks at all of them takes minutes for 40,000 rows (docs/log.md)."""
    seen: list[int] = []
    likely = ComparedTexts.likely

    def counted(compared: ComparedTexts, pairs: Iterator[tuple[Rows, Rows]]) -> Any:
        def noted() -> Iterator[tuple[Rows, Rows]]:
            for first, second in pairs:
                seen.append(len(first))
                yield first, second

        return likely(compared, noted())

    monkeypatch.setattr(ComparedTexts, "likely", counted)
    near_duplicates(template_rows(2_000), similarity=0.8)
    assert 0 < sum(seen) < 2_000 * 100


def test_many_rows_of_a_template_that_differ_in_a_number_are_one_cluster() -> None:
    texts = [
        f"your order {number} has been shipped and will arrive within three working days"
        for number in range(5_000)
    ]
    assert set(near_duplicates(texts, similarity=0.8)) == {0}


def test_texts_in_scripts_without_blanks_and_with_emoji_are_compared_by_their_characters() -> None:
    texts = [
        "この映画は本当に面白かったので何度でも見たいと思いました",
        "この映画は本当に面白かったので何度でも見たいと思います",
        "배송이 정말 빠르고 상품도 마음에 쏙 들어서 또 주문하려고요",
        "배송이 정말 빠르고 상품도 마음에 쏙 들어서 또 주문할게요",
        "👩‍👩‍👧 👍👍 great 👩‍👩‍👧",
        "👩‍👩‍👧 👎👎 awful 👩‍👩‍👧",
    ]
    assert near_duplicates(texts, similarity=0.7) == brute_force(texts, 0.7) == [0, 0, 2, 2, 4, 5]


def with_another_word(texts: list[str], chance: random.Random) -> list[str]:
    """The texts, each with one word replaced by one of another text."""
    words = [word for text in texts for word in text.split()]
    copies = []
    for text in texts:
        own = text.split()
        own[chance.randrange(len(own))] = chance.choice(words)
        copies.append(" ".join(own))
    return copies


def test_korean_texts_of_eight_words_with_one_changed_are_found_and_no_others() -> None:
    chance = random.Random(6)  # noqa: S311 - test data, not a secret
    syllables = "가나다라마바사아자차카타파하"
    texts = [
        " ".join("".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(8))
        for _ in range(200)
    ]
    found = near_pairs(texts, with_another_word(texts, chance), similarity=0.7)
    assert {first == second for first, second in found} == {True}
    assert len(found) >= 0.97 * len(texts)


def test_one_letter_of_a_dense_script_does_not_part_two_texts_in_an_alphabet() -> None:
    text = "a good read about the roads of the old empire and those who walked them"
    texts = [text, f"{text} 道", text.replace("read", "read 道")]
    assert near_duplicates(texts, similarity=0.8) == [0, 0, 0]


def test_no_texts_have_no_clusters() -> None:
    assert near_duplicates([], similarity=0.8) == []
    assert near_pairs([], ["a"], similarity=0.8) == near_pairs(["a"], [], similarity=0.8) == []


def test_at_no_similarity_all_texts_are_one_cluster_and_all_pairs_are_similar() -> None:
    assert near_duplicates(["a", "b"], similarity=0) == [0, 0]
    assert near_pairs(["a", "b"], ["c"], similarity=0) == [(0, 0), (1, 0)]


def test_pairs_of_two_collections_equal_those_of_comparing_every_pair() -> None:
    texts, others = (
        template_rows(60),
        [*template_rows(120), "far away", "a much longer text " * 40],
    )
    for similarity in (0.5, 0.8, 1.0):
        expected = [
            (row, other)
            for row, text in enumerate(texts)
            for other, second in enumerate(others)
            if likeness(text, second) >= similarity
        ]
        assert near_pairs(texts, others, similarity=similarity) == expected


def test_a_pair_is_told_once_though_its_texts_share_many_grams() -> None:
    long = " ".join(str(number) for number in range(2_000))
    pairs = near_pairs([long, "short"], [long + " end", "shorter", long], similarity=0.9)
    assert Counter(pairs) == {(0, 0): 1, (0, 2): 1}


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
            if likeness(text, other) >= similarity
        ]
    assert near_pairs(texts, [], similarity=0.8) == near_pairs([], others, similarity=0.8) == []
