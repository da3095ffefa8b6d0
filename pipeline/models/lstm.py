"""LSTMs with projection (Sak et al. 2014), one per direction, with stacked weights.

The recurrence uses only the product of the recurrent and the projection matrix, so that product is
taken first. Then oneDNN's LSTM, which has no projection, can run, and the projection is applied to
all steps at once. With twice as many cells as the projection has dimensions this is as fast as
torch's own LSTM with projection, and it is the form that ONNX has.
"""

import torch
from torch import nn
from torch.nn import functional

GATES = 4
"""Input, forget, cell, output: the order of `torch.nn.LSTM`."""


class LSTMLayer(nn.Module):
    """`directions` independent LSTMs, each with its own inputs.

    `projection` maps the `cells` outputs to `size` dimensions, which the next step and layer read.
    """

    def __init__(self, size: int, cells: int, *, directions: int) -> None:
        super().__init__()
        self.input_weight = nn.Parameter(torch.empty(directions, GATES * cells, size))
        self.recurrent_weight = nn.Parameter(torch.empty(directions, GATES * cells, size))
        self.bias = nn.Parameter(torch.empty(directions, GATES * cells))
        self.projection = nn.Parameter(torch.empty(directions, size, cells))
        self.reset()

    @property
    def cells(self) -> int:
        """The number of memory cells."""
        return self.projection.shape[2]

    @torch.no_grad()
    def reset(self) -> None:
        """Draws weights as torch does, and opens the forget gates."""
        bound = self.cells**-0.5
        for weight in (self.input_weight, self.recurrent_weight, self.projection):
            nn.init.uniform_(weight, -bound, bound)
        nn.init.zeros_(self.bias)
        self.bias[:, self.cells : 2 * self.cells] = 1.0

    def forward(self, inputs: torch.Tensor, *, weight_drop: float = 0.0) -> torch.Tensor:
        """From `(directions, length, batch, size)` to the same shape.

        Args:
            weight_drop: share of the recurrent weights that are dropped in training.
        """
        recurrent = functional.dropout(self.recurrent_weight, weight_drop, self.training)
        read = torch.bmm(recurrent, self.projection)
        start = inputs.new_zeros(1, inputs.shape[2], self.cells)
        hidden = [
            torch.lstm(
                one,
                (start, start),
                [*weights, torch.zeros_like(weights[-1])],
                has_biases=True,
                num_layers=1,
                dropout=0.0,
                train=self.training,
                bidirectional=False,
                batch_first=False,
            )[0]
            for one, *weights in zip(inputs, self.input_weight, read, self.bias, strict=True)
        ]
        return torch.stack(hidden) @ self.projection.transpose(1, 2).unsqueeze(1)
