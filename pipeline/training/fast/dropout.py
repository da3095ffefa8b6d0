"""Faster dropout on a CPU: one random draw decides for four elements.

torch draws a number from a serial generator for each element, which takes an eighth of a
fine-tuning step. Sixteen random bits are enough for the decision, so here one 64-bit draw serves
four elements. Attention with dropout leaves torch's fused path for a slow one that guards against
rows in which all tokens are masked; padded batches have none, so the plain formula replaces it.

How it is switched on, and the part to be careful with: `quick_dropout()` replaces the *global*
functions `torch.nn.functional.dropout` and `scaled_dot_product_attention` while its block runs, so
that the model code of transformers uses them without being changed. Everything in the process that
calls them is affected, on a CPU and in training mode only; all other calls go to torch's own. Draws
come from torch's generator, so seeds and the random state in checkpoints work as usual.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
    """Replaces torch's dropout and attention on a CPU while the block runs.

    Replacing the two names is faster than a `TorchFunctionMode`, which intercepts every torch call.
    """
    before = functional.dropout, functional.scaled_dot_product_attention
    functional.dropout, functional.scaled_dot_product_attention = _dropout, _attention
    try:
        yield
    finally:
        functional.dropout, functional.scaled_dot_product_attention = before


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


def _dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    if not training or p == 0.0:
        return input
    if inplace or input.device.type != "cpu" or p == 1.0:
        return _TORCH_DROPOUT(input, p=p, training=training, inplace=inplace)
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
    """Attention (Vaswani et al. 2017, equation 1) with dropout of its weights; shapes as in torch.

    Args:
        attn_mask: True (or 0) for real tokens, False (or −∞) for padding.
    """
    elsewhere = query.device.type != "cpu" or is_causal or enable_gqa
    if elsewhere or dropout_p == 0.0:
        rest: Any = {"is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}
        return _TORCH_ATTENTION(query, key, value, attn_mask=attn_mask, dropout_p=dropout_p, **rest)
    factor = scale or 1.0 / math.sqrt(query.shape[-1])
    scores = (query * factor) @ key.transpose(-2, -1)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    # In float32: on short bfloat16 rows torch's softmax takes four times as long.
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype)
    return drop(weights, dropout_p) @ value
