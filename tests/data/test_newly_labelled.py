"""Rows of the corpus that people labelled join the labelled rows, beside their near copies."""

import pytest

from pipeline.data.newly_labelled import joined_clusters, newly_labelled
from pipeline.data.records import Record
from pipeline.data.row_ids import numbers_of
from pipeline.problem.problems import PROBLEMS
from pipeline.text.bare_words import bare_words

HARBOUR = "The harbour lies quiet under the morning mist, and the boats wait for the tide"
MARKET = "A market of many colours fills the old square until the bells ring at noon"


def row(number: int, text: str, cluster: int | None = None) -> Record:
    name = None if cluster is None else f"{cluster:016x}"
    return Record(id=f"{number:016x}", source="own", text=text, cluster=name)


def clusters(labelled: list[Record], new: list[Record]) -> dict[int, int]:
    """Number of a row → number of the row that its cluster is named after."""
    new = sorted(new, key=lambda row: row.id)
    words = [bare_words(row.text) for row in [*labelled, *new]]
    before, ids = (
        numbers_of([row.cluster or "" for row in labelled]),
        numbers_of([r.id for r in new]),
    )
    found = joined_clusters(words, before, ids, similarity=0.7)
    return {int(row.id, 16): int(one) for row, one in zip([*labelled, *new], found, strict=True)}


LABELLED = [row(3, HARBOUR, 3), row(4, f"{HARBOUR} again", 3), row(7, MARKET, 7)]


def test_a_new_row_is_in_the_cluster_of_its_near_copy_whose_name_stays() -> None:
    found = clusters(LABELLED, [row(1, f"{HARBOUR} to come"), row(9, "Something else entirely")])
    assert found == {1: 3, 3: 3, 4: 3, 7: 7, 9: 9}


def test_near_copies_among_the_new_rows_are_of_one_cluster() -> None:
    text = "Rain fell on the tin roof all night while we counted the seconds to the thunder"
    found = clusters(LABELLED, [row(8, text), row(5, f"{text} outside")])
    assert found[8] == found[5] == 5


def test_clusters_that_a_new_row_is_near_to_become_one() -> None:
    apart = [row(3, HARBOUR, 3), row(7, f"{HARBOUR} to come in from the wide open sea beyond", 7)]
    assert clusters(apart, []) == {3: 3, 7: 7}
    assert {*clusters(apart, [row(9, f"{HARBOUR} to come in from the")]).values()} == {3}


@pytest.mark.parametrize(
    ("problem", "votes", "label"),
    [
        ("classification", ["a", "b", "b"], "b"),
        ("classification", ["a", "b"], None),
        ("multi_label", ["a|b", "b"], "b"),
        ("multi_label", ["", ""], ""),
        ("multi_label", ["a", "b"], ""),
        ("regression", ["1.0", "2.0"], "1.5"),
    ],
)
def test_the_votes_alone_decide_on_a_row_of_the_corpus(
    problem: str, votes: list[str], label: str | None
) -> None:
    labels = ["number"] if problem == "regression" else ["a", "b"]
    given = {f"{1:016x}": {str(n): vote for n, vote in enumerate(votes)}}
    # What a source says of a neighbouring task is no vote.
    corpus = [
        Record(id=f"{n:016x}", source="web", text="Some text", label="a" if labels[1:] else "9.0")
        for n in (1, 2)
    ]
    found = newly_labelled(corpus, given, problem=PROBLEMS[problem], labels=labels)
    assert [one.label for one in found] == ([] if label is None else [label])
    assert all(one.target is not None for one in found)
