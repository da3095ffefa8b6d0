"""Expected calibration error is nought for honest probabilities and large for boastful ones."""

import numpy as np
import pytest

from pipeline.metrics.calibration import expected_calibration_error


def test_honest_probabilities_have_no_error() -> None:
    probabilities = np.tile([0.8, 0.2], (100, 1))
    gold = np.array([0] * 80 + [1] * 20)
    assert expected_calibration_error(gold, probabilities) == pytest.approx(0.0, abs=1e-9)


def test_sure_and_wrong_is_the_worst() -> None:
    probabilities = np.tile([1.0, 0.0], (10, 1))
    assert expected_calibration_error(np.ones(10, dtype=np.int64), probabilities) == 1.0
