"""Dropout that does not wait for its random numbers.

torch draws one number of a serial generator for each element it may drop; on a CPU that is an eighth of
a fine-tuning step. Sixteen random bits are enough to decide, so one 64-bit draw serves four elements
here. Where attention has dropout, torch leaves its fused path for one that guards against rows without
any token, which padded batches do not have; the plain formula takes its place.

Inside `quick_dropout()` every `functional.dropout` on a CPU, whoever calls it, works like that. The draws
come from torch's own generator: seeds, and the random state in a checkpoint, mean what they did.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_LANES = 4
"""Decisions of 16 bits in a 64-bit draw."""
_LEVELS = 1 << 16


class quick_dropout(TorchFunctionMode):  # noqa: N801 - a context manager, named as torch names them
    """Context in which dropout on a CPU is drawn sixteen bits an element."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Take over the two calls; pass all others on."""
        named = kwargs or {}
        if func is functional.dropout:
            return _dropout(*args, **named)
        if func is functional.scaled_dot_product_attention and named.get("dropout_p"):
            return _attention(*args, **named)
        return func(*args, **named)


def drop(values: torch.Tensor, share: float) -> torch.Tensor:
    """`values` with each element zero with probability `share` (to 1/65,536), the others scaled up."""
    keep = 1.0 - share
    draws = torch.empty(-(-values.numel() // _LANES), dtype=torch.int64)
    draws.random_(-(1 << 63), None)
    lanes = draws.view(torch.int16)[: values.numel()].view(values.shape)
    kept = lanes >= round(share * _LEVELS) - _LEVELS // 2
    return values * kept.to(values.dtype).mul_(1.0 / keep)


def _dropout(
    input: torch.Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> torch.Tensor:
    if not training or p == 0.0:
        return input
    if inplace or input.device.type != "cpu" or p == 1.0:
        return functional.dropout(input, p, training, inplace)
    return drop(input, p)


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **others: Any,
) -> torch.Tensor:
    """Vaswani et al. 2017, equation 1, with dropout of the weights; shapes as torch's own.

    Args:
        attn_mask: True (or 0) where a token is read, False (or −∞) where it is padding.
    """
    if query.device.type != "cpu" or is_causal or others.get("enable_gqa"):
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, **others
        )
    scale = others.get("scale") or 1.0 / math.sqrt(query.shape[-1])
    scores = (query * scale) @ key.transpose(-2, -1)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return drop(scores.softmax(dim=-1), dropout_p) @ value
