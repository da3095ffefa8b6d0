"""AdamW as every training uses it, with optional learning rates by layer."""

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from pipeline.core.training_sections import OptimisationParams
from pipeline.models.encoder import layer_from_top

_NEW_WORDS = 10.0
"""Nothing is forgotten in embeddings that hold nothing yet: two and a half times the rate was too slow for 4,000 rows,
five and ten times did alike (docs/adr/0034)."""


@dataclass(frozen=True)
class LayerRates:
    """Learning rates that fall from layer to layer (Howard and Ruder 2018).

    Attributes:
        model: whose layers they are, counted from the head down to the embeddings.
        decay: the rate of a layer over that of the layer above it.
        new_words: whether the word embeddings are new, and learn at ten times the highest rate.
    """

    model: PreTrainedModel
    decay: float
    new_words: bool = False

    def factor(self, name: str, parameter: torch.nn.Parameter) -> float:
        """The rate of a parameter over that of the head."""
        if self.new_words and parameter is self.model.get_input_embeddings().weight:
            return _NEW_WORDS
        return self.decay ** layer_from_top(self.model, name)


def build_optimizer(
    model: torch.nn.Module,
    optimisation: OptimisationParams,
    *,
    layer_rates: LayerRates | None = None,
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over all parameters that are not frozen.

    Biases and norms have no weight decay. Without `layer_rates` all layers learn at one rate.
    """
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = optimisation.learning_rate
        if layer_rates is not None:
            rate *= layer_rates.factor(name, parameter)
        decay = optimisation.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    rates = [
        {"params": parameters, "lr": rate, "peak_lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]
    return torch.optim.AdamW(rates, fused=True)
