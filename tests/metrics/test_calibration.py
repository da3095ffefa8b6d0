"""The calibration error is 0 for honest probabilities and large for too sure ones."""

import numpy as np
import pytest

from pipeline.metrics.calibration import calibration_error, expected_calibration_error
from pipeline.problem.problems import problem_named


def test_honest_probabilities_have_no_error_and_sure_and_wrong_ones_the_worst() -> None:
    held = np.array([True] * 80 + [False] * 20)
    assert expected_calibration_error(np.full(100, 0.8), held) == pytest.approx(0.0, abs=1e-9)
    assert expected_calibration_error(np.ones(10), np.zeros(10, dtype=np.bool_)) == 1.0


def test_one_label_a_text_is_judged_by_the_likeliest_and_several_by_each() -> None:
    scores = np.tile([0.8, 0.2], (100, 1))
    gold = np.array([0] * 80 + [1] * 20)
    many = np.stack([gold == 0, gold == 1], axis=1)
    for problem, held in (("classification", gold), ("multi_label", many)):
        found = calibration_error(problem_named(problem), held, scores)
        assert found == pytest.approx(0.0, abs=1e-9), problem
    assert calibration_error(problem_named("regression"), gold, scores) is None
