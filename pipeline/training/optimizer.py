"""AdamW as every training uses it, with optional learning rates by layer."""

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from pipeline.core.training_sections import OptimisationParams
from pipeline.models.encoder import layer_from_top


@dataclass(frozen=True)
class LayerRates:
    """Learning rates that fall from layer to layer (Howard and Ruder 2018).

    Attributes:
        model: whose layers they are, counted from the head down to the embeddings.
        decay: the rate of a layer over that of the layer above it.
    """

    model: PreTrainedModel
    decay: float


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
            rate *= layer_rates.decay ** layer_from_top(layer_rates.model, name)
        decay = optimisation.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    rates = [
        {"params": parameters, "lr": rate, "peak_lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]
    return torch.optim.AdamW(rates, fused=True)
