"""Bidirectional language modelling (Peters et al. 2018), for `pretrain.model: bilm`."""

import torch

from pipeline.text.batching import Ids
from pipeline.text.packing import PackedRows
from pipeline.training.fast.softmax import linear_cross_entropy


class BidirectionalLanguageModelling:
    """The mean of two losses: each token predicted from those before it, and from those after it.

    Args:
        first_token_id: replaces the first input token of each row, as downstream texts start with
            it ([CLS]); the replaced token is still a target of the backward direction.
    """

    def __init__(self, packed: PackedRows, *, first_token_id: int) -> None:
        self._packed, self._first = packed, first_token_id

    def tokens(self, rows: Ids) -> int:
        """Packed rows have no padding."""
        return len(rows) * self._packed.length

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean over both directions and `(batch, length − 1)` tokens, nats per token."""
        targets = torch.from_numpy(self._packed.read(rows)).to(device)
        inputs = targets.clone()
        inputs[:, 0] = self._first
        layers = model.bilm(inputs)  # type: ignore[operator]
        after = _loss(model, layers.forward[-1][:, :-1], targets[:, 1:])
        before = _loss(model, layers.backward[-1][:, 1:], targets[:, :-1])
        return (after + before) / 2


def _loss(model: torch.nn.Module, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    weight, bias = model.output_layer()  # type: ignore[operator]
    rows = model.drop(states).flatten(0, 1)  # type: ignore[operator]
    return linear_cross_entropy(rows, weight, bias, targets.flatten())
