"""Strategies that were tried beside those of pipeline/active_learning: each chooses rows that are labelled next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.active_learning.query_strategies import margins, unsure_and_unlike
from pipeline.models.linear import LINEAR_MODELS
from pipeline.problem.problems import CLASSIFICATION

Vectors = NDArray[np.float64]
Order = NDArray[np.int64]
Answer = Callable[[Vectors], NDArray[np.float64]]
REGULARISATION = 10.0
_MEMBERS = 7
_CANDIDATES = 1500
_DESIGN_WIDTH = 48


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The rows that a strategy chooses from, and what a model has learned.

    Attributes:
        vectors: of rows without a label, `(rows, width)`.
        p: probability of the second label, `(rows,)`.
        known: vectors of the labelled rows, `(labelled, width)`.
        targets: their labels, 0 or 1, `(labelled,)`.
        chance: for draws.
    """

    vectors: Vectors
    p: NDArray[np.float64]
    known: Vectors
    targets: NDArray[np.int64]
    chance: np.random.Generator

    @property
    def margin(self) -> NDArray[np.float64]:
        """Distance of the two answers, `(rows,)`."""
        return margins(np.stack([1 - self.p, self.p], axis=1), exclusive=True)


Strategy = Callable[[Pool, int], Order]
"""From a pool and a count to the numbers of rows."""


def fitted(vectors: Vectors, targets: NDArray[np.int64]) -> Answer:
    """A logistic regression of two labels, as a function to the probability of the second."""
    learn = LINEAR_MODELS[CLASSIFICATION].tfidf
    answer = learn(vectors, targets[:, None].astype(np.float64), 2, REGULARISATION)
    return lambda rows: np.asarray(answer(rows)[:, 1])


def margin(pool: Pool, count: int) -> Order:
    """The least sure rows."""
    return np.argsort(pool.margin, kind="stable")[:count]


def unlike(pool: Pool, count: int) -> Order:
    """The product's own: unsure rows, one a cluster."""
    seed = int(pool.chance.integers(2**31))
    return unsure_and_unlike(pool.margin, pool.vectors.astype(np.float32), count, seed=seed)


def dense(pool: Pool, count: int) -> Order:
    """Unsure rows that are near many others (Settles and Craven 2008)."""
    density = pool.vectors @ pool.vectors.mean(axis=0)
    return np.argsort(-(1 - pool.margin) * density, kind="stable")[:count]


def badge(pool: Pool, count: int) -> Order:
    """k-means++ on the gradients of the likelier answer (Ash et al. 2020, BADGE)."""
    gradients = np.minimum(pool.p, 1 - pool.p)[:, None] * pool.vectors
    squares = (gradients**2).sum(axis=1)
    away, chosen = squares.copy(), []
    for _ in range(count):
        row = int(pool.chance.choice(len(away), p=away / away.sum()))
        chosen.append(row)
        found = squares + squares[row] - 2 * gradients @ gradients[row]
        away = np.minimum(away, np.maximum(found, 0))
        away[chosen] = 0
    return np.array(chosen)


def committee(pool: Pool, count: int) -> Order:
    """Rows on which seven models, each of a bootstrap sample of the labels, differ most."""
    answers = []
    for _ in range(_MEMBERS):
        rows = pool.chance.integers(len(pool.targets), size=len(pool.targets))
        if 0 < pool.targets[rows].sum() < len(rows):
            answers.append(fitted(pool.known[rows], pool.targets[rows])(pool.vectors))
    spread = np.var(answers, axis=0) if answers else pool.chance.random(len(pool.p))
    return np.argsort(-spread, kind="stable")[:count]


def rare(pool: Pool, count: int) -> Order:
    """One half the likeliest rows of the rarer label, the other the least sure ones."""
    likely = pool.p if pool.targets.mean() < 0.5 else 1 - pool.p
    first = np.argsort(-likely, kind="stable")[: count // 2]
    others = margin(pool, count)
    return np.concatenate([first, others[~np.isin(others, first)]])[:count]


def least_variance(pool: Pool, count: int) -> Order:
    """Rows that lower the mean variance of the model's answers most, one by one (Ash et al. 2021, BAIT)."""
    some = pool.chance.permutation(len(pool.vectors))[:_CANDIDATES]
    _, _, axes = np.linalg.svd(pool.vectors[some], full_matrices=False)
    rows, known = (table @ axes[:_DESIGN_WIDTH].T for table in (pool.vectors[some], pool.known))
    weights = pool.p[some] * (1 - pool.p[some])
    inverse = np.linalg.inv(known.T @ known / 4 + np.eye(rows.shape[1]) / REGULARISATION)
    wanted = (rows * weights[:, None]).T @ (rows * weights[:, None]) / len(rows)
    chosen: list[int] = []
    for _ in range(min(count, len(rows))):
        moved = rows @ inverse
        gain = weights * ((moved @ wanted) * moved).sum(axis=1)
        gain /= 1 + weights * (moved * rows).sum(axis=1)
        gain[chosen] = -1
        row = int(gain.argmax())
        chosen.append(row)
        step = inverse @ rows[row]
        inverse -= np.outer(step, step) * weights[row] / (1 + weights[row] * rows[row] @ step)
    return some[chosen]


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "margin": margin,
        "unsure_and_unlike": unlike,
        "dense": dense,
        "badge": badge,
        "committee": committee,
        "rare": rare,
        "least_variance": least_variance,
    }
)
"""Name → strategy."""
