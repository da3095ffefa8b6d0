"""Holds people's votes as numbers, which agreement and merging are computed from.

A product of one label asks one question, the label. A product of several asks for each label whether the
text has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.problem import Problem

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteTable:
    """Votes on rows; each person has voted once at most on a row.

    Attributes:
        row_names: ids of the rows, in order.
        names: of the people, in order.
        rows: number of the row of each vote, ascending, `(votes,)`.
        people: number of the person of each vote, `(votes,)`.
        answers: number of the answer to each question, `(votes, questions)`.
        choices: how many answers a question has.
    """

    row_names: tuple[str, ...]
    names: tuple[str, ...]
    rows: Integers
    people: Integers
    answers: Integers
    choices: int

    @classmethod
    def of(
        cls, votes: Mapping[str, Mapping[str, str]], *, problem: Problem, labels: Sequence[str]
    ) -> Self:
        """Returns the table of votes that are given as row → person → stored label.

        Raises:
            ValueError: the answers of the problem are numbers.
        """
        if not problem.has_probabilities:
            raise ValueError(f"{problem.name} asks for numbers, and has no table of answers")
        row_names = sorted(votes)
        names = sorted({name for given in votes.values() for name in given})
        number_of = {name: number for number, name in enumerate(names)}
        cells = [(name, cell) for row in row_names for name, cell in sorted(votes[row].items())]
        counts = np.array([len(votes[row]) for row in row_names], dtype=np.int64)
        answers = {
            cell: _answers(cell, problem=problem, labels=labels) for cell in {c for _, c in cells}
        }
        questions = len(labels) if problem.many_labels else 1
        return cls(
            row_names=tuple(row_names),
            names=tuple(names),
            rows=np.repeat(np.arange(len(row_names)), counts),
            people=np.array([number_of[name] for name, _ in cells], dtype=np.int64),
            answers=np.array([answers[cell] for _, cell in cells], dtype=np.int64).reshape(
                len(cells), questions
            ),
            choices=2 if problem.many_labels else len(labels),
        )

    @property
    def votes_of_rows(self) -> Integers:
        """How many people voted on each row, `(rows,)`."""
        return np.bincount(self.rows, minlength=len(self.row_names))

    def counts(self, question: int) -> Integers:
        """How many people gave each answer to a question, `(rows, choices)`."""
        size = (len(self.row_names), self.choices)
        cells = self.rows * self.choices + self.answers[:, question]
        return np.bincount(cells, minlength=size[0] * size[1]).reshape(size)

    def only(self, votes: NDArray[np.bool_]) -> Self:
        """Returns the table of some of the votes, `(votes,)`, with the same people and no empty row."""
        kept, rows = np.unique(self.rows[votes], return_inverse=True)
        return replace(
            self,
            row_names=tuple(self.row_names[row] for row in kept),
            rows=rows.astype(np.int64),
            people=self.people[votes],
            answers=self.answers[votes],
        )


def _answers(cell: str, *, problem: Problem, labels: Sequence[str]) -> list[int]:
    """Returns the number of the answer to each question in a stored label."""
    given = problem.labels_in(cell, labels)
    if problem.many_labels:
        return [int(label in given) for label in labels]
    return [labels.index(given[0])]
