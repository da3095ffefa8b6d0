"""Votes of planted people, some of whom guess, on rows whose right label is known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LABELS = ["a", "b", "c"]


class PlantedVotes(NamedTuple):
    """Planted votes.

    Attributes:
        votes: row → person → label; people `p00`, `p01`, … of whom the first ones guess.
        right: the right label of each row, by row.
        spammers: those who guess.
    """

    votes: dict[str, dict[str, str]]
    right: dict[str, str]
    spammers: list[str]


def planted_votes(
    *, rows: int, people: int = 20, spammers: int = 5, votes_a_row: int = 5, seed: int = 1
) -> PlantedVotes:
    """Returns votes of people who know the label of 55 to 85 % of the rows, and else guess as spammers do."""
    chance = np.random.default_rng(seed)
    knows = chance.uniform(0.55, 0.85, people)
    knows[:spammers] = 0.0
    right = chance.integers(len(LABELS), size=rows)
    names = [f"p{number:02}" for number in range(people)]
    votes = {}
    for row in range(rows):
        who: NDArray[np.int64] = chance.choice(people, votes_a_row, replace=False)
        guesses = chance.integers(len(LABELS), size=votes_a_row)
        given = np.where(chance.random(votes_a_row) < knows[who], right[row], guesses)
        votes[f"r{row:06}"] = {
            names[p]: LABELS[label] for p, label in zip(who.tolist(), given.tolist(), strict=True)
        }
    answers = dict(zip(votes, (LABELS[label] for label in right.tolist()), strict=True))
    return PlantedVotes(votes, answers, names[:spammers])
