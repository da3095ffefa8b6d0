"""The moving average of a model's weights while it trains (Polyak and Juditsky 1992).

In the middle of a training the last steps' noise is in the weights; their average is without it, and
answers as a model answers whose learning rate has been brought down. So it is the average that validation
sees and that a training leaves.
"""

import torch
from torch.optim.swa_utils import AveragedModel

_Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]

EVERY = 5
"""Steps between two updates: a pass over all weights is not free."""


def moving_average(model: torch.nn.Module, *, decay: float) -> AveragedModel:
    """A copy of `model` for exponentially weighted means of its parameters; buffers are copied.

    The first update takes the weights as they are, and the next ones weigh the past less than `decay`
    says, so that the start is soon forgotten.

    Args:
        decay: weight of the past from one step to the next; its memory is 1 / (1 − decay) steps.
    """

    def update(averaged: _Tensors, current: _Tensors, updates: torch.Tensor | int) -> None:
        done = int(updates)
        past = min(decay**EVERY, (done + 1) / (done + 3))
        torch._foreach_lerp_(list(averaged), list(current), 1 - past)

    average = AveragedModel(model, multi_avg_fn=update)
    average.requires_grad_(requires_grad=False).eval()
    return average


@torch.no_grad()
def take_over(model: torch.nn.Module, average: AveragedModel) -> None:
    """Put the averages in place of the model's weights."""
    for parameter, mean in zip(model.parameters(), average.module.parameters(), strict=True):
        parameter.copy_(mean)
