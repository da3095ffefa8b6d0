"""How many labels a wanted quality needs: a power law through qualities at growing numbers of labels.

quality(n) = a − b · n^(−c), fitted by weighted least squares (Figueroa and others 2012, "Predicting
sample size required for classification performance"). A parametric bootstrap gives the intervals. It
holds all that is not known: that few draws were made of each size, that all of them come from the
same rows, which may be better or worse than others, and which of the laws that fit goes on so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.intervals import Interval

Measured = Mapping[int, Sequence[float]]
"""Number of labels → the quality after learning from as many, once a draw; 1 is the most."""
Numbers = NDArray[np.float64]

SIZES = 8
DRAWS = 5
CONFIDENCE = 0.9
_SMALLEST_SHARE = 1 / 10
_SMALLEST = 20
_RESAMPLES = 1000
_RATES = np.geomspace(0.05, 1.5, 60)
_FARTHEST = 100


def label_counts(most: int) -> list[int]:
    """The numbers of labels, at most `most` and that last, after which quality is measured."""
    least = min(most, max(_SMALLEST, round(most * _SMALLEST_SHARE)))
    return sorted({round(count) for count in np.geomspace(least, most, SIZES)})


@dataclass(frozen=True)
class LabelsNeeded:
    """How many labels a quality needs in all, with the ends of the interval.

    None is a number that cannot be told: a hundred times the labels there are do not reach the
    quality.
    """

    labels: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, kw_only=True)
class LearningLaw:
    """The power law of measured qualities, and laws that could as well be the true one.

    Attributes:
        laws: a, b and c of each law, `(laws, 3)`; the first is the fitted one.
        labels: the most labels that quality was measured after.
        spread: standard deviation of the quality after one label, so to say: after n labels
            it is `spread / √n`, for other rows would have been drawn.
    """

    laws: Numbers
    labels: int
    spread: float

    @classmethod
    def fitted(cls, measured: Measured, *, seed: int) -> "LearningLaw":
        """The law of qualities at three or more numbers of labels.

        Raises:
            ValueError: there are fewer.
        """
        if len(measured) < 3:
            raise ValueError(f"a law cannot be fitted to {len(measured)} numbers of labels")
        counts = np.array(sorted(measured), dtype=np.float64)
        means = np.array([np.mean(measured[int(count)]) for count in counts])
        draws = np.array([len(measured[int(count)]) for count in counts])
        law = _fit(counts, means[None])
        curve = _qualities(law, counts)[0]
        spread = max(_spread_of_draws(measured), _spread_of_residuals(means - curve, counts=counts))
        chance = np.random.default_rng(seed)
        # Draws of the same rows differ the less the more of the rows each has; all share the rows.
        own = np.sqrt((1 / counts - 1 / counts[-1]) / draws)
        shared = chance.standard_normal((_RESAMPLES, 1)) / np.sqrt(counts[-1])
        noise = own * chance.standard_normal((_RESAMPLES, len(counts))) + shared
        drawn = _fit(counts, curve + spread * noise)
        return cls(laws=np.concatenate([law, drawn]), labels=int(counts[-1]), spread=spread)

    def quality_after(self, labels: int, *, seed: int) -> Interval:
        """The quality after this many labels, with its 90 % interval.

        It is taken to vary from draw to draw as after the labels that there are: more labels vary
        less, but the rows that quality is measured on stay as few.
        """
        found = _qualities(self.laws, np.array([float(labels)]))[:, 0]
        chance = np.random.default_rng(seed).standard_normal(len(found) - 1)
        low, high = _ends(found[1:] + self.spread * chance / np.sqrt(self.labels))
        return Interval(float(found[0]), low, min(high, 1.0))

    def labels_for(self, quality: float) -> LabelsNeeded:
        """The least number of labels with which the quality is reached, and its 90 % interval."""
        ceiling, loss, rate = self.laws.T
        reached = ceiling > quality
        room = np.where(reached, ceiling - quality, 1.0)
        powers = np.log(np.maximum(loss, 1e-300) / room) / rate
        most = np.log(_FARTHEST * self.labels)
        # Those that never get there stand behind all others, and an end among them is not a number.
        found = np.where(reached & (powers <= most), np.exp(np.minimum(powers, most)), np.inf)
        low, high = _ends(found[1:])
        return LabelsNeeded(*(_whole(end) for end in (float(found[0]), low, high)))


def _whole(number: float) -> int | None:
    return int(np.ceil(number)) if np.isfinite(number) else None


def _ends(values: Numbers) -> tuple[float, float]:
    """Ends of the interval that leaves out as many values below as above; they are values."""
    outside = (1 - CONFIDENCE) / 2
    ordered = np.sort(values)
    first, last = int(outside * len(values)), int(np.ceil((1 - outside) * len(values))) - 1
    return float(ordered[first]), float(ordered[last])


def _qualities(laws: Numbers, counts: Numbers) -> Numbers:
    """Quality of each law after each number of labels, `(laws, counts)`."""
    ceiling, loss, rate = laws.T[:, :, None]
    return np.asarray(ceiling - loss * counts**-rate)


def _spread_of_draws(measured: Measured) -> float:
    """The spread that makes draws of the same rows differ as much as they do."""
    most, total, freedom = max(measured), 0.0, 0
    for count, qualities in measured.items():
        if count < most and len(qualities) > 1:
            total += float(np.var(qualities) * len(qualities)) / (1 / count - 1 / most)
            freedom += len(qualities) - 1
    return float(np.sqrt(total / freedom)) if freedom else 0.0


def _spread_of_residuals(residuals: Numbers, *, counts: Numbers) -> float:
    """The spread that explains how far the means lie from the law."""
    freedom = len(counts) - 3
    return float(np.sqrt((residuals**2 * counts).sum() / freedom)) if freedom > 0 else 0.0


def _fit(counts: Numbers, means: Numbers) -> Numbers:
    """The law of each row of mean qualities `(rows, counts)`: a, b and c, `(rows, 3)`.

    For each c of a grid a and b are weighted least squares, the weight being the number of labels;
    a is at most 1 and b not negative. The c of the least error is taken.
    """
    weights = counts / counts.sum()
    best = np.full(len(means), np.inf)
    laws = np.zeros((len(means), 3))
    for rate in _RATES:
        powers = counts**-rate
        centred = powers - weights @ powers
        middle = means @ weights
        loss = -(means @ (weights * centred)) / (weights @ centred**2)
        loss = np.maximum(loss, 0.0)
        ceiling = middle + loss * (weights @ powers)
        high = ceiling > 1
        loss = np.where(high, (1 - means) @ (weights * powers) / (weights @ powers**2), loss)
        ceiling = np.where(high, 1.0, ceiling)
        error = (means - ceiling[:, None] + loss[:, None] * powers) ** 2 @ weights
        better = error < best
        best[better] = error[better]
        laws[better] = np.stack([ceiling, loss, np.full(len(means), rate)], axis=1)[better]
    return laws
