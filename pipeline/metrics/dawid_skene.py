"""Tells the likely answers from votes and how each person errs (Dawid & Skene 1979), by expectation-maximisation.

Each row has one right answer, and each person gives each answer with a probability that depends on the right
one alone. The two are estimated in turn, from the shares of the votes on. Without prior votes this is maximum
likelihood as Dawid & Skene have it, which is far too sure of itself where people have few votes each: on 60
rows of three people it errs more often than the majority does.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from pipeline.metrics.vote_table import Floats, Integers

MOST_ROUNDS = 100
TOLERANCE = 1e-5
PRIOR_VOTES, PRIOR_RIGHT = 4.0, 0.5
_LEAST = 1e-10


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """Findings from the votes on one question.

    Attributes:
        posterior: probability of each answer, `(rows, choices)`.
        logits: its logarithm but for a constant a row, `(rows, choices)`; finite.
        errors: probability that a person gives an answer where another is right,
            `(people, given, right)`; its sums over the given ones are 1.
        priors: share of the rows for which an answer is right, `(choices,)`.
    """

    posterior: Floats
    logits: Floats
    errors: Floats
    priors: Floats


def dawid_skene(
    rows: Integers,
    people: Integers,
    answers: Integers,
    *,
    choices: int,
    prior_votes: float = PRIOR_VOTES,
) -> DawidSkene:
    """Returns the probabilities that explain the votes best.

    It ends when no probability of a row moves by more than `TOLERANCE`, or after `MOST_ROUNDS`.

    Args:
        rows: number of the row of each vote, `(votes,)`; each row from 0 on has a vote.
        people: number of the person, `(votes,)`.
        answers: number of the answer, `(votes,)`.
        choices: how many answers there are.
        prior_votes: votes that each person is taken to have given beforehand where each answer is right:
            a share of `PRIOR_RIGHT` for it, the rest spread over all answers.
    """
    size = (int(rows.max()) + 1, int(people.max()) + 1)
    votes = csr_array(
        (np.ones(len(rows)), (rows, people * choices + answers)), shape=(size[0], size[1] * choices)
    )
    by_answer = votes.T.tocsr()
    shares = np.bincount(rows * choices + answers, minlength=size[0] * choices)
    posterior = shares.reshape(size[0], choices) / np.bincount(rows)[:, None]
    prior = prior_votes * (PRIOR_RIGHT * np.eye(choices) + (1 - PRIOR_RIGHT) / choices)
    for _ in range(MOST_ROUNDS):
        priors, before = posterior.mean(axis=0), posterior
        given = (by_answer @ posterior).reshape(size[1], choices, choices)
        errors = np.maximum(given + prior, _LEAST)
        errors /= errors.sum(axis=1, keepdims=True)
        logits = votes @ np.log(errors).reshape(-1, choices) + np.log(np.maximum(priors, _LEAST))
        posterior = probabilities(logits)
        if np.abs(posterior - before).max() < TOLERANCE:
            break
    return DawidSkene(posterior, logits, errors, priors)


def probabilities(logits: Floats) -> Floats:
    """Returns the probabilities of which `logits` are the logarithms but for a constant a row."""
    found = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))
