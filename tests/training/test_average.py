"""A moving average of weights."""

import dataclasses
from pathlib import Path

import torch

from pipeline.training.loop import train
from tests.support.small_training import Separable, a_training, small_model, weights


def test_a_moving_average_is_what_validation_sees_and_what_is_left(tmp_path: Path) -> None:
    """Of weights taken every five steps and at the end, the past weighing 1/2, 3/5, 2/3, … or its decay."""
    taken: list[list[torch.Tensor]] = []
    seen: list[list[torch.Tensor]] = []

    def see(model: torch.nn.Module) -> dict[str, float]:
        seen.append(weights(model))
        return {"validation_accuracy": 0.5}

    plain, averaging = (
        dataclasses.replace(a_training(tmp_path / str(average)), average=average, validate=see)
        for average in (0.0, 0.9)
    )
    plain = dataclasses.replace(plain, after_step=lambda model: taken.append(weights(model)))
    train(small_model(), Separable(), plain)
    assert len(taken) == 24
    averaged = small_model()
    train(averaged, Separable(), averaging)
    expected = taken[4]
    for past, step in zip((0.5, 0.9**5, 0.9**5, 0.9**5), (10, 15, 20, 24), strict=True):
        expected = [
            past * mean + (1 - past) * now
            for mean, now in zip(expected, taken[step - 1], strict=True)
        ]
    for found, mean, last in zip(weights(averaged), expected, seen[-1], strict=True):
        assert torch.allclose(found, mean, atol=1e-6)
        assert torch.equal(found, last)
