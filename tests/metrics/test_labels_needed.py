"""Qualities at few labels tell what more labels would bring, and how far that is known."""

import numpy as np
import pytest

from pipeline.metrics.labels_needed import DRAWS, SIZES, LearningLaw, Measured, label_counts


def quality(labels: float) -> float:
    return float(0.85 - 1.2 * labels**-0.4)


def measured(most: int, *, spread: float = 0.2, seed: int = 0) -> Measured:
    """Qualities of samples that are drawn from `most` rows, as they vary where rows do."""
    chance = np.random.default_rng(seed)
    shared = spread * chance.standard_normal() / np.sqrt(most)
    return {
        count: [
            quality(count)
            + shared
            + spread * np.sqrt(1 / count - 1 / most) * chance.standard_normal()
            for _ in range(1 if count == most else DRAWS)
        ]
        for count in label_counts(most)
    }


def test_the_numbers_of_labels_grow_by_a_factor_up_to_all() -> None:
    counts = label_counts(1600)
    assert len(counts) == SIZES
    assert (counts[0], counts[-1]) == (160, 1600)
    ratios = np.divide(counts[1:], counts[:-1])
    assert ratios == pytest.approx(np.full(SIZES - 1, ratios[0]), abs=0.02)
    assert label_counts(12) == [12]


def test_a_law_without_noise_is_found_again() -> None:
    law = LearningLaw.fitted(measured(1600, spread=0.0), seed=1)
    assert law.quality_after(8000, seed=1).value == pytest.approx(quality(8000), abs=0.002)
    needed = law.labels_for(quality(8000))
    assert needed.labels == pytest.approx(8000, rel=0.1)


def test_the_interval_holds_what_more_labels_bring_in_nine_draws_of_ten() -> None:
    held = 0
    for seed in range(20):
        law = LearningLaw.fitted(measured(1500, seed=seed), seed=seed)
        found = law.quality_after(7500, seed=seed)
        held += found.low <= quality(7500) <= found.high
    assert held >= 17


def test_the_interval_is_wider_the_farther_the_law_is_followed() -> None:
    law = LearningLaw.fitted(measured(1500), seed=1)
    near, far = (law.quality_after(labels, seed=1) for labels in (3000, 60_000))
    assert far.high - far.low > near.high - near.low


def test_a_quality_that_no_number_of_labels_reaches_is_told() -> None:
    law = LearningLaw.fitted(measured(1600, spread=0.0), seed=1)
    assert law.labels_for(0.95).labels is None
    noisy = LearningLaw.fitted(measured(1600), seed=1).labels_for(0.83)
    assert noisy.low is not None
    assert noisy.high is None or noisy.high > noisy.low


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = (
        LearningLaw.fitted(measured(600), seed=3).quality_after(2000, seed=3) for _ in range(2)
    )
    assert first == second


def test_qualities_that_do_not_grow_give_a_flat_law() -> None:
    law = LearningLaw.fitted({count: [0.6] * DRAWS for count in label_counts(800)}, seed=1)
    assert law.quality_after(8000, seed=1).value == pytest.approx(0.6)
    assert law.labels_for(0.7).labels is None


def test_a_law_needs_qualities_after_three_numbers_of_labels() -> None:
    with pytest.raises(ValueError, match="2 numbers of labels"):
        LearningLaw.fitted({10: [0.5], 20: [0.6]}, seed=1)
