"""Faster attention on a CPU where a gradient is asked for: the plain formula.

torch's fused attention saves memory, which short texts do not need, and pays for it: its backward
pass takes nine times as long as that of the plain formula on rows of 27 tokens in bfloat16, more
than a quarter of a fine-tuning step (docs/log.md, 2026-11-30). With dropout of the weights torch
itself leaves the fused path, for a slower one, which the plain formula replaces as well.

Masked scores are the least finite number, not −∞: a row in which all tokens are masked, as padding
far from any text in a model with local attention, then gets some finite answer, which nothing reads,
and not NaN, which would spread. torch answers zero there.
"""

import math
from typing import Any

import torch
from torch.nn import functional

from pipeline.training.fast.dropout import drop

_TORCH_ATTENTION = functional.scaled_dot_product_attention
_LONGEST = {torch.bfloat16: 256}
"""The most keys for which the plain formula is faster without dropout, where not `_LONGEST_ELSE`."""
_LONGEST_ELSE = 64


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Attention (Vaswani et al. 2017, equation 1); arguments and shapes as in torch's function.

    Args:
        attn_mask: True (or 0) for real tokens, False (or −∞) for padding.
    """
    torchs_own = query.device.type != "cpu" or is_causal or enable_gqa
    if torchs_own or (dropout_p == 0.0 and not _plain_is_faster(query, key, value)):
        rest: Any = {"is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}
        return _TORCH_ATTENTION(query, key, value, attn_mask=attn_mask, dropout_p=dropout_p, **rest)
    factor = scale or 1.0 / math.sqrt(query.shape[-1])
    scores = (query * factor) @ key.transpose(-2, -1)
    least = torch.finfo(scores.dtype).min
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, least)
    elif attn_mask is not None:
        scores = scores + attn_mask.clamp(min=least)
    # In float32: on short bfloat16 rows torch's softmax takes four times as long.
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype)
    return (drop(weights, dropout_p) if dropout_p else weights) @ value


def _plain_is_faster(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> bool:
    """Whether a gradient will be asked for and the rows are short."""
    learns = torch.is_grad_enabled() and any(part.requires_grad for part in (query, key, value))
    return learns and key.shape[-2] <= _LONGEST.get(query.dtype, _LONGEST_ELSE)
