"""Scores are probabilities that sum to 1, a probability a label, or a number."""

import numpy as np

from pipeline.problem.probabilities import sigmoid, softmax
from pipeline.problem.problems import problem_named


def test_softmax_stands_large_logits_and_keeps_exact_halves() -> None:
    np.testing.assert_array_equal(softmax(np.array([1e4, 1e4], dtype=np.float32)), [0.5, 0.5])


def test_sigmoid_stands_large_logits_and_is_half_at_nought() -> None:
    found = sigmoid(np.array([-1e4, 0.0, 1e4], dtype=np.float32))
    np.testing.assert_array_equal(found, [0.0, 0.5, 1.0])


def test_scores_are_probabilities_of_one_label_of_each_label_or_a_number() -> None:
    logits = np.array([[1.0, 3.0], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(problem_named("classification").scores(logits).sum(axis=1), 1.0)
    np.testing.assert_allclose(
        problem_named("multi_label").scores(logits), 1 / (1 + np.exp(-logits))
    )
    np.testing.assert_array_equal(problem_named("regression").scores(logits[:, :1]), [[1.0], [0.0]])
