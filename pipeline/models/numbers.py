"""Changes the unit of a model that gives a number: training uses deviations from the mean."""

import torch
from torch import nn

from pipeline.core.errors import ArtifactError


def scale_output(model: nn.Module, *, factor: float, shift: float) -> None:
    """Changes the last layer in place so that the model gives `factor · output + shift`.

    Raises:
        ArtifactError: the model does not end in one linear output.
    """
    ends = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == 1]
    if not ends or ends[-1].bias is None:
        raise ArtifactError(
            f"a {type(model).__name__} without a linear output of one number",
            expected="a classifier of transformers with one output, or our own",
            next_step="name another prepare.checkpoint in params.yaml or the product file",
        )
    with torch.no_grad():
        ends[-1].weight.mul_(factor)
        ends[-1].bias.mul_(factor).add_(shift)
