"""The optimizer of the training loop: AdamW, its learning rate from step to step, and how gradients are clipped."""

from collections.abc import Callable

import torch

from pipeline.core.params import Schedule


def build_optimizer(
    model: torch.nn.Module,
    schedule: Schedule,
    *,
    layer_of: Callable[[str], int] | None = None,
    layer_decay: float = 1.0,
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over what is not frozen; no decay of biases and norms.

    Args:
        layer_of: parameter name → layer number counted from the head (0), for layer-wise rates.
        layer_decay: factor of the learning rate from one layer to the one below it.
    """
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = layer_of(name) if layer_of else 0
        rate = schedule.learning_rate * layer_decay**depth
        decay = schedule.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": rate, "peak_lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def clip_in_step(optimizer: torch.optim.AdamW, largest: float) -> float:
    """Have the next step clip the gradients to the joint norm `largest`; returns the norm that they have now.

    The fused AdamW divides gradients by `grad_scale` as it reads them, which is there for loss scaling.
    Clipping them first would be one more pass over all gradients.
    """
    gradients = [
        parameter.grad
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]
    norm = torch.nn.utils.get_total_norm(gradients)
    optimizer.grad_scale = (norm / largest).clamp(min=1.0)  # type: ignore[attr-defined]
    return float(norm)


def rate_factor(step: int, *, total: int, warmup_share: float) -> float:
    """Share of the peak learning rate at a step: linear rise, then linear fall to zero."""
    warmup = warmup_share * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (total - step) / max(total - warmup, 1.0)
