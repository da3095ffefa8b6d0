"""Labels given with and without a suggestion in sight, with a planted pull towards it."""

import numpy as np

from pipeline.annotation.suggestion_effect import ArmVote

_PERSON_RIGHT = 0.93


def planted_arms(count: int, *, pull: float, seed: int) -> list[ArmVote]:
    """Labels of two classes, half of them with a calibrated suggestion in sight.

    Args:
        pull: points by which a suggestion in sight raises agreement with it, as a share.
    """
    chance = np.random.default_rng(seed)
    p = 1 - chance.beta(1.2, 4, count) / 2
    suggestion_right, person_right = chance.random(count) < p, chance.random(count) < _PERSON_RIGHT
    agrees = suggestion_right == person_right
    shown = chance.random(count) < 0.5
    expected = float((_PERSON_RIGHT * p + (1 - _PERSON_RIGHT) * (1 - p)).mean())
    pulled = shown & (chance.random(count) < pull / (1 - expected))
    return [
        ArmVote(shown=bool(shown[row]), agrees=bool(agrees[row] | pulled[row]), p=float(p[row]))
        for row in range(count)
    ]
