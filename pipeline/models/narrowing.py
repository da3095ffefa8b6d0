"""A narrower encoder from a wider one: its states are projected, and its normalisations fitted to what comes of it.

The states of a pre-trained encoder lie near a plane of far fewer dimensions than they have (here after Ashkboos et
al. 2024, SliceGPT, who slice the states of larger models). The narrow model's states are the wide one's on that
plane, in directions of chance within it, so that none of them is much larger than the others. A layer normalisation
cannot be projected: it divides by the size of all dimensions, and has one gain for each. So each is fitted, the
lowest first, to the wide model's projected states on a sample of real texts, one dimension after the other by least
squares. Attention keeps the heads with the largest weights in and out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

Batch = Mapping[str, torch.Tensor]
"""`input_ids` and `attention_mask`, `(rows, length)` each."""

_LEAST = 1e-12


def narrow(source: Any, target: Any, sample: Batch) -> torch.Tensor:
    """Put a BERT encoder's projected weights into a narrower one, in place.

    Args:
        source: with as many layers and feed-forward units as `target`, the same tokens, positions and size of a head.
        sample: texts by whose states the plane is chosen and the normalisations are fitted.

    Returns:
        The directions that the narrow model's dimensions have in the wide one, orthonormal, `(wide, narrow)`.
    """
    training, states = target.training, _normalised(source, sample)
    basis = _plane([_tokens(one, sample) for one in states], width=target.config.hidden_size)
    with torch.no_grad():
        _project(source, target, basis)
        _fit(target, [one @ basis for one in states], sample)
    target.train(training)
    return basis


def _plane(states: Sequence[torch.Tensor], *, width: int) -> torch.Tensor:
    """Directions that keep most of the states' energy, `(tokens, wide)` each to `(wide, width)`, turned at random."""
    moments = sum(one.T.double() @ one.double() for one in states)
    _energy, directions = torch.linalg.eigh(moments)
    turned, _upper = torch.linalg.qr(torch.randn(width, width, dtype=torch.float64))
    plane: torch.Tensor = directions[:, -width:] @ turned
    return plane.float()


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
        _write(wide.attention.output.dense, thin.attention.output.dense, basis, places)
        thin.intermediate.dense.weight.copy_(wide.intermediate.dense.weight @ basis)
        thin.intermediate.dense.bias.copy_(wide.intermediate.dense.bias)
        _write(wide.output.dense, thin.output.dense, basis, slice(None))


def _write(given: nn.Linear, taken: nn.Linear, basis: torch.Tensor, places: Any) -> None:
    """A layer whose outputs are states and whose inputs are `places` of the given one's."""
    taken.weight.copy_(basis.T @ given.weight[:, places])
    taken.bias.copy_(basis.T @ given.bias)


def _places_of_heads(attention: Any, count: int) -> torch.Tensor:
    """Rows of the `count` heads whose values and outputs have the largest weights, in their old order."""
    size: int = attention.self.attention_head_size
    values, outputs = attention.self.value.weight, attention.output.dense.weight
    scores = values.unflatten(0, (-1, size)).flatten(1).norm(dim=1)
    scores = scores * outputs.T.unflatten(0, (-1, size)).flatten(1).norm(dim=1)
    heads = scores.topk(count).indices.sort().values
    places: torch.Tensor = heads[:, None] * size + torch.arange(size)
    return places.flatten()


def _fit(target: Any, wanted: list[torch.Tensor], sample: Batch) -> None:
    """Gains and biases of the normalisations, the lowest first, each on what those below it give."""
    for number, norm in enumerate(_norms(target)):
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
        found = _normalised(target, sample)[number]
        given, goal = (_tokens(one, sample) for one in (found, wanted[number][:, : found.shape[1]]))
        middle, aim = given.mean(dim=0), goal.mean(dim=0)
        spread = (given - middle).square().sum(dim=0).clamp_min(_LEAST)
        gain = ((given - middle) * (goal - aim)).sum(dim=0) / spread
        norm.weight.copy_(gain)
        norm.bias.copy_(aim - gain * middle)


def _normalised(encoder: Any, sample: Batch) -> list[torch.Tensor]:
    """What each normalisation gives, the lowest first, `(rows, length or 1, hidden)` each."""
    found: list[torch.Tensor] = []
    hooks = [
        norm.register_forward_hook(lambda _norm, _inputs, output: found.append(output))
        for norm in _norms(encoder)
    ]
    encoder.eval()
    try:
        with torch.no_grad():
            encoder(**sample)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _norms(encoder: Any) -> list[nn.LayerNorm]:
    layers = [
        (layer.attention.output.LayerNorm, layer.output.LayerNorm)
        for layer in encoder.encoder.layer
    ]
    return [encoder.embeddings.LayerNorm, *(norm for pair in layers for norm in pair)]


def _tokens(states: torch.Tensor, sample: Batch) -> torch.Tensor:
    """States of real tokens, `(tokens, hidden)`; of the first alone where a layer computes no others."""
    if states.shape[1] == 1:
        return states[:, 0]
    return states[sample["attention_mask"].bool()]
