"""Quality figures mean what their names say."""

import numpy as np
import pytest

from pipeline.metrics.classification import accuracy, correctness, macro_f1, quality


def test_macro_f1_weighs_labels_alike() -> None:
    gold = np.array([0] * 8 + [1] * 2)
    majority = np.zeros(10, dtype=np.int64)
    assert accuracy(gold, majority) == pytest.approx(0.8)
    assert macro_f1(gold, majority) == pytest.approx((2 * 0.8 / 1.8) / 2)


def test_quality_has_the_keys_of_the_contract() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    figures = quality(np.array([0, 1, 1]), probabilities, 0.95)
    assert set(figures) == {"accuracy", "accuracy_ci95", "macro_f1"}
    low, high = figures["accuracy_ci95"]
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert low < figures["accuracy"] < high


def test_correctness_is_one_where_the_top_label_is_gold() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert correctness(np.array([0, 0]), probabilities).tolist() == [1.0, 0.0]
