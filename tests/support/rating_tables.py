"""Small rating tables of the literature, by which measures of agreement are checked.

A line is a person, a column a row of the data; a point is a missing rating.
"""

from typing import NamedTuple

from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C, as Gwet prints it ("Handbook
# of Inter-Rater Reliability", 2014, 4 raters and 12 units).
FOUR_RATERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . .
. 3 3 3 2 3 4 2 2 5 1 3
1 2 3 3 2 4 4 1 2 5 1 .
"""
# Gwet (2014): 5 observers, 15 units, of which the third observer alone rated all.
FIVE_OBSERVERS = """
1 1 2 . 0 0 1 1 2 2 . 0 1 3 1
1 1 3 0 0 0 0 . 2 1 1 0 2 3 1
2 0 3 0 0 0 2 2 2 1 0 0 2 2 1
. 1 3 . . . . 0 . 1 0 0 2 2 .
2 . . 0 0 0 1 . 2 . . . . 3 1
"""
# Krippendorff (2011), section B: Ben and Gerry; the tenth unit was rated by one alone.
BEN_AND_GERRY = """
a a b b d c c c e d d a
b a b b b c c c e . d d
"""
# Gwet (2014): 4 raters, 14 units of two groups.
TWO_GROUPS = """
a b c c b a d a b . . . b b
a b c c b b d a b e . . b a
. c c c b c d b b e a c c c
a b c c b d d a b e a . b b
"""
# Gwet (2014): 4 raters, 15 units, 3 categories.
FOUR_OF_THREE = """
a a a a a b b b c a a a a a b
a a a a b a b c c a a a a b a
a b b c a a b b c a b b c a a
c c c c a a b b c c c c c a a
"""
# Gwet (2014): two abstractors, 100 pregnancies; two diagnoses of 223 patients. Units of each pair of ratings.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
DIAGNOSES = [[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]]


class Votes(NamedTuple):
    """Votes as row → person → label, and the labels."""

    votes: dict[str, dict[str, str]]
    labels: list[str]

    def table(self) -> VoteTable:
        """Returns the votes as numbers."""
        return VoteTable.of(self.votes, problem=problem_named("classification"), labels=self.labels)


def rated(text: str) -> Votes:
    """Returns the votes of a table of this file."""
    people = [line.split() for line in text.strip().splitlines()]
    votes = {
        f"row {unit:03}": {
            f"person {number}": given for number, given in enumerate(ratings) if given != "."
        }
        for unit, ratings in enumerate(zip(*people, strict=True))
    }
    return Votes(votes, sorted({label for given in votes.values() for label in given.values()}))


def crossed(counts: list[list[int]]) -> Votes:
    """Returns the votes of two people from how many rows have each pair of labels."""
    labels = [f"label {number}" for number in range(len(counts))]
    pairs = [
        (labels[first], labels[second])
        for first, line in enumerate(counts)
        for second, count in enumerate(line)
        for _ in range(count)
    ]
    votes = {f"row {n:03}": {"ann": a, "bo": b} for n, (a, b) in enumerate(pairs)}
    return Votes(votes, labels)
