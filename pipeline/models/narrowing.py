"""Shrinks an encoder's hidden size: projects its states, refits its normalisations.

The hidden states of a pretrained encoder lie near a subspace of far fewer dimensions (after
Ashkboos et al. 2024, SliceGPT). The narrow model's states are the wide model's, projected on that
subspace in a randomly rotated basis, so that no dimension is much larger than the others. A layer
normalisation cannot be projected, because it divides by the norm over all dimensions and has a gain
for each. So each one is refitted, lowest layer first: least squares per dimension, to the wide
model's projected states on a sample of real texts. Attention keeps the heads with the largest
weights.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pipeline.models.features import hooked

Batch = Mapping[str, torch.Tensor]
"""`input_ids` and `attention_mask`, both `(rows, length)`."""

_MIN_VARIANCE = 1e-12


def narrow(source: Any, target: Any, sample: Batch) -> torch.Tensor:
    """Fills the narrower BERT encoder `target` with the projected weights of `source`, in place.

    Args:
        source: has the layers, feed-forward units, tokens, positions and head size of `target`.
        sample: texts on whose states the subspace and the normalisations are fitted.

    Returns:
        An orthonormal basis: the narrow model's dimensions in the wide one's space, `(wide,
            narrow)`.
    """
    training, states = target.training, _normalised(source, sample)
    basis = _subspace([_tokens(one, sample) for one in states], width=target.config.hidden_size)
    with torch.no_grad():
        _project(source, target, basis)
        _fit(target, [one @ basis for one in states], sample)
    target.train(training)
    return basis


def _subspace(states: Sequence[torch.Tensor], *, width: int) -> torch.Tensor:
    """A randomly rotated basis, `(wide, width)`, of the subspace with most of the states' energy.

    Args:
        states: `(tokens, wide)` each.
    """
    moments = sum(one.T.double() @ one.double() for one in states)
    _energy, directions = torch.linalg.eigh(moments)
    rotation, _upper = torch.linalg.qr(torch.randn(width, width, dtype=torch.float64))
    basis: torch.Tensor = directions[:, -width:] @ rotation
    return basis.float()


def _project(source: Any, target: Any, basis: torch.Tensor) -> None:
    for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        wide, narrow_one = getattr(source.embeddings, name), getattr(target.embeddings, name)
        narrow_one.weight.copy_(wide.weight @ basis)
    for wide, thin in zip(source.encoder.layer, target.encoder.layer, strict=True):
        places = _places_of_heads(wide.attention, target.config.num_attention_heads)
        for name in ("query", "key", "value"):
            given, taken = getattr(wide.attention.self, name), getattr(thin.attention.self, name)
            taken.weight.copy_(given.weight[places] @ basis)
            taken.bias.copy_(given.bias[places])
        thin.intermediate.dense.weight.copy_(wide.intermediate.dense.weight @ basis)
        thin.intermediate.dense.bias.copy_(wide.intermediate.dense.bias)
        for given, taken, read in (
            (wide.attention.output.dense, thin.attention.output.dense, places),
            (wide.output.dense, thin.output.dense, slice(None)),
        ):
            taken.weight.copy_(basis.T @ given.weight[:, read])
            taken.bias.copy_(basis.T @ given.bias)


def _places_of_heads(attention: Any, count: int) -> torch.Tensor:
    """The rows of the `count` heads with the largest value and output weights, ascending."""
    size: int = attention.self.attention_head_size
    values, outputs = attention.self.value.weight, attention.output.dense.weight
    scores = values.unflatten(0, (-1, size)).flatten(1).norm(dim=1)
    scores = scores * outputs.T.unflatten(0, (-1, size)).flatten(1).norm(dim=1)
    heads = scores.topk(count).indices.sort().values
    places: torch.Tensor = heads[:, None] * size + torch.arange(size)
    return places.flatten()


def _fit(target: Any, wanted: list[torch.Tensor], sample: Batch) -> None:
    """Fits gains and biases of the normalisations, lowest first, each after those below it."""
    for number, norm in enumerate(_norms(target)):
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
        found = _normalised(target, sample)[number]
        given, goal = (_tokens(one, sample) for one in (found, wanted[number][:, : found.shape[1]]))
        middle, aim = given.mean(dim=0), goal.mean(dim=0)
        spread = (given - middle).square().sum(dim=0).clamp_min(_MIN_VARIANCE)
        gain = ((given - middle) * (goal - aim)).sum(dim=0) / spread
        norm.weight.copy_(gain)
        norm.bias.copy_(aim - gain * middle)


def _normalised(encoder: Any, sample: Batch) -> list[torch.Tensor]:
    """The output of each normalisation, lowest first, `(rows, length or 1, hidden)` each."""
    found: list[torch.Tensor] = []
    hooks = [
        norm.register_forward_hook(lambda _norm, _inputs, output: found.append(output))
        for norm in _norms(encoder)
    ]
    encoder.eval()
    with hooked(hooks), torch.no_grad():
        encoder(**sample)
    return found


def _norms(encoder: Any) -> list[nn.LayerNorm]:
    layers = [
        (layer.attention.output.LayerNorm, layer.output.LayerNorm)
        for layer in encoder.encoder.layer
    ]
    return [encoder.embeddings.LayerNorm, *(norm for pair in layers for norm in pair)]


def _tokens(states: torch.Tensor, sample: Batch) -> torch.Tensor:
    """The states of real tokens, `(tokens, hidden)`, or of the first tokens alone."""
    if states.shape[1] == 1:
        return states[:, 0]
    return states[sample["attention_mask"].bool()]
