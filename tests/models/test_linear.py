"""The linear baselines."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.models.linear import NaiveBayesRegression, log_count_ratio


def test_the_log_count_ratio_equals_an_example_worked_by_hand() -> None:
    # Smoothed counts: p = (3, 1), q = (1, 2); r = log(3/4 / (1/3)), log(1/4 / (2/3)).
    counts = csr_matrix([[1, 0], [1, 0], [0, 1]])
    ratios = log_count_ratio(counts, np.array([True, True, False]))
    assert ratios == pytest.approx([np.log(9 / 4), np.log(3 / 8)])


def test_three_labels_are_asked_one_against_the_rest() -> None:
    texts = ["red apple", "red berry", "blue sky", "blue sea", "green leaf", "green tree"] * 3
    label_ids = np.array([0, 0, 1, 1, 2, 2] * 3)
    model = NaiveBayesRegression(texts, label_ids, labels=3, max_ngram=2, regularisation=10.0)
    probabilities = model.probabilities(["a red thing", "blue", "green", "unseen"])
    assert probabilities.shape == (4, 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4))
    assert probabilities[:3].argmax(axis=1).tolist() == [0, 1, 2]
