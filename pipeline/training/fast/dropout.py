"""Faster dropout on a CPU: one random draw decides for four elements.

torch draws a number from a serial generator for each element, which takes an eighth of a
fine-tuning step. Sixteen random bits are enough for the decision, so here one 64-bit draw serves
four elements. Draws come from torch's generator, so seeds and the random state in checkpoints work
as usual.
"""

import torch
from torch.nn import functional

_LANES = 4
"""Decisions of 16 bits in a 64-bit draw."""
_LEVELS = 1 << 16
_TORCH_DROPOUT = functional.dropout
_SIXTEEN_BITS = (torch.bfloat16, torch.float16)


def drop(values: torch.Tensor, share: float) -> torch.Tensor:
    """Zeroes elements with probability `share` (rounded to 1/65,536), scales up the others."""
    keep = 1.0 - share
    draws = torch.empty(-(-values.numel() // _LANES), dtype=torch.int64)
    draws.random_(-(1 << 63), None)
    lanes = draws.view(torch.int16)[: values.numel()].view(values.shape)
    least = round(share * _LEVELS) - _LEVELS // 2
    if values.dtype in _SIXTEEN_BITS:
        # Each draw is overwritten by the bits of its factor: two passes over the values less.
        bits = torch.tensor(1.0 / keep, dtype=values.dtype).view(torch.int16)
        return values * lanes.ge_(least).mul_(bits).view(values.dtype)
    return values * (lanes >= least).to(values.dtype).mul_(1.0 / keep)


def dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    """Dropout (Srivastava et al. 2014) with the arguments of torch's `dropout`, on a CPU by `drop`."""
    if not training or p == 0.0:
        return input
    if inplace or input.device.type != "cpu" or p == 1.0:
        return _TORCH_DROPOUT(input, p=p, training=training, inplace=inplace)
    return drop(input, p)
