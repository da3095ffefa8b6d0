"""Gradient clipping without a pass of its own over the gradients.

`torch.nn.utils.clip_grad_norm_` reads the gradients to measure their norm and then writes them all
again, scaled down. On a CPU each such pass waits for memory. The fused AdamW already divides every
gradient by `grad_scale` when it reads it (torch put that there for loss scaling), so the factor can
be handed to the optimizer and the second pass saved. The weights after the step are the same but
for rounding; `parameter.grad` keeps the unclipped gradient.
"""

import torch


def clip_in_step(optimizer: torch.optim.AdamW, largest: float) -> float:
    """Makes the next `optimizer.step()` clip the joint gradient norm to `largest`.

    Needs `fused=True`: other AdamW implementations ignore `grad_scale`.

    Returns:
        The norm before clipping.
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
