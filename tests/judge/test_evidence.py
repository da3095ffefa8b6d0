"""The evidence against "the candidate is no worse", which may be looked at any number of times."""

import itertools
import math

import numpy as np
import pytest

from pipeline.judge.evidence import STAKES, log_evidence, mirrored


def test_nothing_counted_is_no_evidence() -> None:
    assert log_evidence([0, 0, 0], mean=0.0) == pytest.approx(0.0)


@pytest.mark.parametrize("mean", [-0.1, 0.0, 0.02, 0.3])
def test_evidence_is_the_mean_fortune_of_fixed_stakes(mean: float) -> None:
    outcomes = [1, 1, 0, -1, 1, 0]
    quantiles = [((place + 0.5) / STAKES) ** 2 for place in range(STAKES)]
    fortunes = [
        math.prod(1 + stake / (1 + mean) * (outcome - mean) for outcome in outcomes)
        for stake in quantiles
    ]
    expected = math.log(sum(fortunes) / STAKES)
    assert log_evidence([3, 2, 1], mean=mean) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("chances", "mean"),
    [((0.3, 0.4, 0.3), 0.0), ((0.05, 0.95, 0.0), 0.05), ((0.2, 0.65, 0.15), 0.05)],
)
def test_its_expectation_stays_one_at_the_edge_of_the_null_hypothesis(
    chances: tuple[float, float, float], mean: float
) -> None:
    """Over every sequence of six outcomes, so without chance: the bound of Ville needs nothing else."""
    total = 0.0
    for sequence in itertools.product(range(3), repeat=6):
        counts = [sequence.count(place) for place in range(3)]
        total += math.prod(chances[place] for place in sequence) * math.exp(
            float(log_evidence(counts, mean=mean))
        )
    assert total == pytest.approx(1.0)


def test_within_the_null_hypothesis_its_expectation_is_below_one() -> None:
    chances = (0.1, 0.6, 0.3)
    total = sum(
        math.prod(chances[place] for place in sequence)
        * math.exp(float(log_evidence([sequence.count(n) for n in range(3)], mean=0.0)))
        for sequence in itertools.product(range(3), repeat=6)
    )
    assert total < 1.0


def test_without_allowance_it_is_the_beta_binomial_mixture_over_differing_pairs() -> None:
    """Against the integral with the prior Beta(1/2, 1), by a fine sum."""
    worse, better = 14, 5
    u = ((np.arange(200_000) + 0.5) / 200_000) ** 2
    share = (1 + u) / 2
    ratio = np.exp(worse * np.log(2 * share) + better * np.log(2 * (1 - share)))
    expected = math.log(ratio.mean())
    assert log_evidence([worse, 1000, better], mean=0.0) == pytest.approx(expected, abs=0.01)


def test_pairs_without_a_difference_say_nothing_against_an_allowance_of_zero() -> None:
    assert log_evidence([7, 0, 2], mean=0.0) == pytest.approx(
        float(log_evidence([7, 10_000, 2], mean=0.0))
    )


def test_mirrored_counts_weigh_the_other_direction() -> None:
    below = log_evidence(mirrored([0, 1000, 0]), mean=-0.03)
    assert below > math.log(100)
    assert log_evidence(mirrored([30, 970, 0]), mean=-0.03) < math.log(20)


def test_many_counts_are_weighed_at_once() -> None:
    counts = np.array([[[3, 2, 1], [0, 9, 4]], [[1, 1, 1], [50, 0, 0]]])
    together = log_evidence(counts, mean=0.05)
    assert together.shape == (2, 2)
    assert together[1, 1] == pytest.approx(float(log_evidence([50, 0, 0], mean=0.05)))


@pytest.mark.parametrize("mean", [-1.0, 1.0, 2.0])
def test_an_average_that_no_outcome_can_have_is_refused(mean: float) -> None:
    with pytest.raises(ValueError, match="more than -1 and less than 1"):
        log_evidence([1, 1, 1], mean=mean)
