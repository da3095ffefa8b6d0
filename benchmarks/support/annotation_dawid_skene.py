"""Merged votes of 20 planted people, of whom 5 guess: right rows beside the majority's, and who is named."""

import time

import numpy as np

from pipeline.metrics.annotator_reliability import annotators
from pipeline.metrics.dawid_skene import PRIOR_VOTES, DawidSkene, dawid_skene
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support.planted_votes import LABELS, planted_votes

_DRAWS = 10
_ROWS = 2000


def measure() -> dict[str, float]:
    """Returns right rows in percent, the mean of ten draws; planted and other people named; seconds a draw."""
    merged, majority, plain = [], [], []
    named, accused, count, seconds = 0, 0, 0, []
    for seed in range(_DRAWS):
        planted = planted_votes(rows=_ROWS, seed=seed)
        table = VoteTable.of(planted.votes, problem=problem_named("classification"), labels=LABELS)
        right = np.array([LABELS.index(planted.right[row]) for row in table.row_names])
        started = time.perf_counter()
        found = _explained(table)
        people = annotators(table, [found])
        seconds.append(time.perf_counter() - started)
        merged.append(np.mean(found.posterior.argmax(axis=1) == right))
        without = _explained(table, prior_votes=0)
        plain.append(np.mean(without.posterior.argmax(axis=1) == right))
        majority.append(np.mean(table.counts(0).argmax(axis=1) == right))
        guess = {person.name for person in people if person.is_spammer}
        spammers = {*planted.spammers}
        named, accused = named + len(guess & spammers), accused + len(guess - spammers)
        count += len(spammers)
    gains = np.array(merged) - np.array(majority)
    return {
        "right_percent": 100 * float(np.mean(merged)),
        "without_prior_percent": 100 * float(np.mean(plain)),
        "majority_percent": 100 * float(np.mean(majority)),
        "gain_points": 100 * float(gains.mean()),
        "least_gain_points": 100 * float(gains.min()),
        "spammers_named_percent": 100 * named / count,
        "others_named": float(accused),
        "seconds": float(np.median(seconds)),
    }


def _explained(table: VoteTable, *, prior_votes: float = PRIOR_VOTES) -> DawidSkene:
    return dawid_skene(
        table.rows,
        table.people,
        table.answers[:, 0],
        choices=table.choices,
        prior_votes=prior_votes,
    )
