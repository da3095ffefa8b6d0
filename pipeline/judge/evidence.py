"""Weighs evidence that may be looked at any number of times: an e-process over paired outcomes.

Each request compares two models and gives 1 (the candidate is worse), 0 or -1 (the champion is). The
null hypothesis says that, whatever came before, the next outcome is on average at most `mean`. Someone
who bets the share `stake` of a fortune against it multiplies that fortune by `1 + stake * (outcome -
mean)`, which cannot grow on average while the null is true. The evidence is the mean of `STAKES`
fortunes that began with 1, so by Ville's inequality it *ever* reaches `1 / alpha` with a probability of
at most `alpha` (Howard, Ramdas, McAuliffe and Sekhon, arXiv 1810.08240; Lindon, Sanden and Shirikian,
arXiv 2205.14762; Waudby-Smith and Ramdas, arXiv 2010.09686).

With `mean` 0 it is the beta-binomial mixture over the pairs in which the models differ: a stake of u is
the likelihood ratio of a share of (1 + u) / 2 worse ones to one half, and u has the Beta(1/2, 1) prior.
The prior stands on a grid of its quantiles, which keeps the bound exact for any `mean`. The evidence
depends on counts alone, not on the order of what was counted.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
STAKES = 64
"""Points of the prior."""


def log_evidence(counts: Counts | Sequence[int], *, mean: float) -> Floats:
    """Natural logarithm of the evidence that outcomes are above `mean` on average, `(...)`.

    Args:
        counts: how many outcomes were 1, 0 and -1, `(..., 3)`.
        mean: the largest average under the null hypothesis, above -1 and below 1.
    """
    totals = np.asarray(counts, dtype=np.float64) @ _log_growth(mean)
    highest = totals.max(axis=-1, keepdims=True)
    found: Floats = highest[..., 0] + np.log(np.exp(totals - highest).mean(axis=-1))
    return found


def mirrored(counts: Counts | Sequence[int]) -> Counts:
    """The counts of the outcomes' negatives, for evidence that outcomes are *below* an average."""
    return np.asarray(counts, dtype=np.int64)[..., ::-1]


@lru_cache
def _log_growth(mean: float) -> Floats:
    """Logarithm by which an outcome of 1, 0 or -1 multiplies the fortune of each stake, `(3, STAKES)`."""
    if not -1 < mean < 1:
        raise ValueError(f"mean {mean}: expected more than -1 and less than 1")
    # The quantiles of Beta(1/2, 1); 1 would be the stake that loses all at the outcome -1.
    quantiles = ((np.arange(STAKES) + 0.5) / STAKES) ** 2
    stakes = quantiles / (1 + mean)
    outcomes = np.array([[1.0], [0.0], [-1.0]])
    growth: Floats = np.log1p(stakes * (outcomes - mean))
    return growth
