"""Scores mean what their problem says."""

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.runtime.scores import scores_of, sigmoid, softmax


def test_softmax_stands_large_logits_and_keeps_exact_halves() -> None:
    np.testing.assert_array_equal(softmax(np.array([1e4, 1e4], dtype=np.float32)), [0.5, 0.5])


def test_sigmoid_stands_large_logits_and_is_half_at_nought() -> None:
    found = sigmoid(np.array([-1e4, 0.0, 1e4], dtype=np.float32))
    np.testing.assert_array_equal(found, [0.0, 0.5, 1.0])


def test_scores_are_probabilities_of_one_label_of_each_label_or_a_number() -> None:
    logits = np.array([[1.0, 3.0], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(scores_of("classification", logits).sum(axis=1), 1.0)
    np.testing.assert_allclose(scores_of("multi_label", logits), 1 / (1 + np.exp(-logits)))
    np.testing.assert_array_equal(scores_of("regression", logits[:, :1]), [[1.0], [0.0]])


def test_an_unknown_problem_is_refused() -> None:
    with pytest.raises(ArtifactError, match="'ranking'"):
        scores_of("ranking", np.zeros((1, 2)))
