"""Scores are probabilities that sum to 1, a probability a label, or a number."""

import numpy as np

from pipeline.problem.probabilities import sigmoid, softmax
from pipeline.problem.problems import problem_named


def test_large_logits_stay_finite_and_halves_exact() -> None:
    np.testing.assert_array_equal(softmax(np.array([1e4, 1e4], dtype=np.float32)), [0.5, 0.5])
    found = sigmoid(np.array([-1e4, 0.0, 1e4], dtype=np.float32))
    np.testing.assert_array_equal(found, [0.0, 0.5, 1.0])


def test_scores_are_probabilities_of_one_label_of_each_label_or_a_number() -> None:
    logits = np.array([[1.0, 3.0], [0.0, 0.0]], dtype=np.float32)
    one, each = (problem_named(name).scores(logits) for name in ("classification", "multi_label"))
    np.testing.assert_allclose(one.sum(axis=1), 1.0)
    np.testing.assert_allclose(each, 1 / (1 + np.exp(-logits)))
    np.testing.assert_array_equal(problem_named("regression").scores(logits[:, :1]), [[1.0], [0.0]])
