"""Pairs with the same first text are in one cluster, and so in one split."""

from itertools import permutations

from pipeline.core.params import parse_params
from pipeline.data.records import Record
from pipeline.data.row_checks import check_labelled
from tests.support.repository import parameter_values


def record(number: int, text: str, second: str | None = None) -> Record:
    return Record(id=f"{number:016x}", source="own", text=text, second=second, label="0")


def clusters(records: list[Record]) -> dict[str, str | None]:
    return {
        entry.second or entry.text: entry.cluster
        for entry in check_labelled(records, parse_params(parameter_values()).validate_).records
    }


def test_hypotheses_about_one_premise_are_one_cluster() -> None:
    premise, other = "Two children play chess in the old park.", "A man repairs his grey bicycle."
    records = [
        record(1, premise, "Children are outside."),
        record(2, premise.upper(), "Nobody plays any game at all."),
        record(3, other, "Children are outside tonight, far away."),
    ]
    first, second, third = clusters(records).values()
    assert first == second != third


def test_a_first_text_of_very_many_pairs_is_a_category_and_joins_nothing() -> None:
    words = ["red", "blue", "green", "black", "white", "north", "south", "east", "west"]
    aspects = [
        record(n, "The service here", f"{a} {b} {a[::-1]}")
        for n, (a, b) in enumerate(permutations(words, 2))
    ]
    assert len(set(clusters(aspects).values())) > len(aspects) / 2


def test_single_texts_are_one_cluster_only_where_they_are_near_copies() -> None:
    texts = ["A film of great warmth and wit.", "The plot is thin and slow."]
    found = clusters([record(number, text) for number, text in enumerate(texts)])
    assert len(set(found.values())) == 2
