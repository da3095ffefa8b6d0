"""An exponential moving average of the weights during training (Polyak and Juditsky 1992).

In the middle of a training the weights carry the noise of the last steps. Their average is about as
good as weights whose learning rate has been decayed, so validation and the final model use the
average.
"""

from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

EVERY = 5
"""Steps from one update of the average to the next; each is a pass over all weights."""


def moving_average(model: torch.nn.Module, *, decay: float) -> AveragedModel:
    """A copy of `model` that averages its parameters; buffers are copied as they are.

    The first update takes the current weights, and the next ones weigh the past less than `decay`,
    so that the initial weights are soon forgotten.

    Args:
        decay: weight of the past, per step; the average spans about 1 / (1 − decay) steps.
    """

    def update(averaged: Any, current: Any, updates: torch.Tensor | int) -> None:
        past = min(decay**EVERY, (int(updates) + 1) / (int(updates) + 3))
        torch._foreach_lerp_(list(averaged), list(current), 1 - past)

    average = AveragedModel(model, multi_avg_fn=update)
    average.requires_grad_(requires_grad=False).eval()
    return average


@torch.no_grad()
def take_over(model: torch.nn.Module, average: AveragedModel) -> None:
    """Copies the averages into the model's weights."""
    for parameter, mean in zip(model.parameters(), average.module.parameters(), strict=True):
        parameter.copy_(mean)
