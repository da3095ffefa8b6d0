"""Dropout that does not wait for its random numbers.

torch draws one number of a serial generator for each element it may drop; on a CPU that is an eighth of
a fine-tuning step. Sixteen random bits are enough to decide, so one 64-bit draw serves four elements
here. Where attention has dropout, torch leaves its fused path for one that guards against rows without
any token, which padded batches do not have; the plain formula takes its place.

Inside `quick_dropout()` every `functional.dropout` on a CPU, whoever calls it, works like that. The draws
come from torch's own generator: seeds, and the random state in a checkpoint, mean what they did.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn import functional

_LANES = 4
"""Decisions of 16 bits in a 64-bit draw."""
_LEVELS = 1 << 16
_TORCH_DROPOUT = functional.dropout
_TORCH_ATTENTION = functional.scaled_dot_product_attention
_SIXTEEN_BITS = (torch.bfloat16, torch.float16)


@contextmanager
def quick_dropout() -> Iterator[None]:
    """Inside, `functional.dropout` and attention's dropout on a CPU are drawn sixteen bits an element.

    The two names are replaced for the time: to look at every call, as a `TorchFunctionMode` does, takes longer.
    """
    before = functional.dropout, functional.scaled_dot_product_attention
    functional.dropout, functional.scaled_dot_product_attention = _dropout, _attention
    try:
        yield
    finally:
        functional.dropout, functional.scaled_dot_product_attention = before


def drop(values: torch.Tensor, share: float) -> torch.Tensor:
    """`values` with each element zero with probability `share` (to 1/65,536), the others scaled up."""
    keep = 1.0 - share
    draws = torch.empty(-(-values.numel() // _LANES), dtype=torch.int64)
    draws.random_(-(1 << 63), None)
    lanes = draws.view(torch.int16)[: values.numel()].view(values.shape)
    least = round(share * _LEVELS) - _LEVELS // 2
    if values.dtype in _SIXTEEN_BITS:
        # A factor's bits are written where its draw was: two passes over the values less.
        bits = torch.tensor(1.0 / keep, dtype=values.dtype).view(torch.int16)
        return values * lanes.ge_(least).mul_(bits).view(values.dtype)
    return values * (lanes >= least).to(values.dtype).mul_(1.0 / keep)


def _dropout(
    input: torch.Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> torch.Tensor:
    if not training or p == 0.0:
        return input
    if inplace or input.device.type != "cpu" or p == 1.0:
        return _TORCH_DROPOUT(input, p, training, inplace)
    return drop(input, p)


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Vaswani et al. 2017, equation 1, with dropout of the weights; shapes as torch's own.

    Args:
        attn_mask: True (or 0) where a token is read, False (or −∞) where it is padding.
    """
    elsewhere = query.device.type != "cpu" or is_causal or enable_gqa
    if elsewhere or dropout_p == 0.0:
        return _TORCH_ATTENTION(
            query,
            key,
            value,
            attn_mask,
            dropout_p,
            is_causal,
            scale=scale,
            enable_gqa=enable_gqa,
        )
    factor = scale or 1.0 / math.sqrt(query.shape[-1])
    scores = (query * factor) @ key.transpose(-2, -1)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    # In float32: torch's softmax takes bfloat16 rows shorter than its vectors number by number, four times as long.
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype)
    return drop(weights, dropout_p) @ value
