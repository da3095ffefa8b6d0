"""A classifier over a bidirectional language model: its layers, mixed and pooled.

As ELMo is used downstream (Peters et al. 2018, equation 1), the task learns a weight for each
layer. The mix is pooled by mean and by maximum, as in ULMFiT (Howard and Ruder 2018).
"""

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from pipeline.models.bilm import Bilm, BilmConfig, BilmPreTrained, Layers

_NOTHING = -1e4
"""Lower than any state of an LSTM, so padding is never the maximum."""


class ScalarMix(nn.Module):
    """`scale · Σ softmax(weights)ₗ · layerₗ`."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.empty(layers))
        self.scale = nn.Parameter(torch.empty(1))
        self.reset()

    def reset(self) -> None:
        """Gives all layers the same weight."""
        nn.init.zeros_(self.weights)
        nn.init.ones_(self.scale)

    def forward(self, layers: list[torch.Tensor]) -> torch.Tensor:
        """From tensors of one shape to one tensor of that shape."""
        shares = torch.softmax(self.weights, dim=0)
        mixed = sum(shares[number] * layer for number, layer in enumerate(layers))
        return self.scale * mixed


class PooledHead(nn.Module):
    """Computes logits from all layers' states."""

    def __init__(self, config: BilmConfig) -> None:
        super().__init__()
        self.mix = ScalarMix(config.num_hidden_layers + 1)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.output = nn.Linear(4 * config.hidden_size, config.num_labels)

    def forward(self, layers: Layers, attention_mask: torch.Tensor) -> torch.Tensor:
        """The logits, `(batch, labels)`."""
        mixed = self.mix(layers.joined())
        mask = attention_mask.unsqueeze(-1).to(mixed.dtype)
        mean = (mixed * mask).sum(dim=1) / mask.sum(dim=1)
        largest = (mixed + (1 - mask) * _NOTHING).amax(dim=1)
        logits: torch.Tensor = self.output(self.dropout(torch.cat([mean, largest], dim=-1)))
        return logits


class BilmForSequenceClassification(BilmPreTrained):
    """The pretrained model with a classification head; loads what pretrain or distill wrote."""

    def __init__(self, config: BilmConfig) -> None:
        super().__init__(config)
        self.bilm = Bilm(config)
        self.head = PooledHead(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, ScalarMix):
            module.reset()
        super()._init_weights(module)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> SequenceClassifierOutput:
        """The logits, `(batch, labels)`."""
        layers = self.bilm(input_ids, attention_mask)
        return SequenceClassifierOutput(logits=self.head(layers, attention_mask))
