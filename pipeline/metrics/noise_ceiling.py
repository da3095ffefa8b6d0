"""How often labels of one person are right, told from how often two people give a row the same label.

Two people who are each right with probability q, and else give any other label, agree with probability
q² + (1 − q)² / (labels − 1). Solved for q this is the accuracy that a model without any mistake would have
on labels of one person: a ceiling for every model that is measured on them. The people are taken to be equally
careful and to err independently; where they err alike, labels are worse than it says.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.metrics.intervals import Interval, bootstrap_interval

FEWEST_ROWS = 20
_CONFIDENCE = 0.95
_RESAMPLES = 1000


def noise_ceiling(rows: Sequence[Sequence[str]], *, labels: int, seed: int) -> Interval | None:
    """The accuracy of a faultless model on labels of one person, with its 95 % interval.

    None where fewer than `FEWEST_ROWS` rows have labels of two people. The interval is a bootstrap over these
    rows, with one row more that agrees and one that does not, so that it has a width where all agree.

    Args:
        rows: the labels that different people gave to each row.
        labels: how many labels the product has, two or more.
    """
    agree = [_agreement(given) for given in rows if len(given) > 1]
    if len(agree) < FEWEST_ROWS:
        return None
    shares = np.array(agree)
    padded = np.concatenate([shares, [0.0, 1.0]])
    drawn = bootstrap_interval(
        lambda chosen: share_right(float(padded[chosen].mean()), labels=labels),
        len(padded),
        confidence=_CONFIDENCE,
        resamples=_RESAMPLES,
        seed=seed,
    )
    found = share_right(float(shares.mean()), labels=labels)
    return Interval(found, min(drawn.low, found), max(drawn.high, found))


def share_right(agreement: float, *, labels: int) -> float:
    """The share of right labels of people who agree that often; 1 / labels where chance explains it."""
    beyond = (labels - 1) * (labels * agreement - 1)
    return float((1 + np.sqrt(max(beyond, 0.0))) / labels)


def _agreement(given: Sequence[str]) -> float:
    """The share of the pairs of people who gave a row the same label."""
    count = len(given)
    same = sum(given.count(label) * (given.count(label) - 1) for label in set(given))
    return same / (count * (count - 1))
