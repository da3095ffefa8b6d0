"""Cross-entropy of a linear layer over a large vocabulary, computed a few rows of logits at a time.

The logits of a batch, `(tokens, vocabulary)`, are hundreds of megabytes: softmax, loss and gradient
each wait for memory, and take longer than the matrix products. Here loss and gradients of a few
rows are computed while their logits are in the processor's cache, and the logits are not kept (as
Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary Language Models", do on a GPU). The result
is exact but for rounding.
"""

from typing import Any

import torch

_ROWS = 128
"""Rows of logits at a time; 4 MB for a vocabulary of 8,192."""


def linear_cross_entropy(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """The mean over rows of −log softmax(states·weightᵀ + bias) at their targets, nats, a scalar.

    Args:
        states: `(rows, hidden)`.
        weight: `(vocabulary, hidden)`.
        bias: `(vocabulary,)`.
        targets: `(rows,)`, int64.
    """
    loss: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, targets
    )
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        """The loss, and the gradients for `backward`, for which logits are not kept."""
        kind = _product_dtype(states)
        rows, table = states.to(kind), weight.to(kind)
        wanted = any(ctx.needs_input_grad)
        gradients = [torch.zeros_like(part, dtype=torch.float32) for part in (weight, bias)]
        of_states = torch.empty_like(rows)
        total = states.new_zeros((), dtype=torch.float32)
        for start in range(0, len(rows), _ROWS):
            part = slice(start, start + _ROWS)
            logits = (rows[part] @ table.T).float().add_(bias)
            places = targets[part].unsqueeze(1)
            logits -= logits.amax(dim=1, keepdim=True)
            right = logits.gather(1, places)
            change = logits.exp_()
            norm = change.sum(dim=1, keepdim=True)
            total += (norm.log() - right).sum()
            if wanted:
                change /= norm
                change.scatter_add_(1, places, -torch.ones_like(norm))
                gradients[1] += change.sum(dim=0)
                change = change.to(kind)
                of_states[part] = change @ table
                gradients[0] += change.T @ rows[part]
        ctx.save_for_backward(of_states, *gradients)
        ctx.kinds = [part.dtype for part in (states, weight, bias)]
        ctx.rows = len(rows)
        return total / len(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients saved by `forward`, times the gradient of the loss."""
        factor = gradients[0] / ctx.rows
        found = (
            (part * factor).to(kind)
            for part, kind in zip(ctx.saved_tensors, ctx.kinds, strict=True)
        )
        return (*found, None)


def _product_dtype(states: torch.Tensor) -> torch.dtype:
    """The type in which matrix products run: autocast's if it is on, else that of the states."""
    device = states.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return states.dtype
