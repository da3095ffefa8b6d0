"""What cannot be exported is told by layer: the innermost that fail alone."""

import torch
from torch import nn

from pipeline.adopt.faulty_layers import faulty_layers

IDS = torch.arange(14).reshape(2, 7)


class Fourier(nn.Module):
    def forward(self, states: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.fft.fft(states, dim=1).real
        return found


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix, self.norm = Fourier(), nn.LayerNorm(8)

    def forward(self, states: torch.Tensor, *, scale: float = 1.0) -> torch.Tensor:
        found: torch.Tensor = self.norm(self.mix(states)) * scale
        return found


class Model(nn.Module):
    def __init__(self, blocks: int = 2) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 8)
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.words(input_ids)
        for block in self.blocks:
            states = block(states, scale=0.5)
        return states


def test_the_innermost_layers_are_named_with_class_place_and_reason() -> None:
    found = faulty_layers(Model().eval(), (IDS,), opset=17)
    assert [layer.name for layer in found] == ["blocks.0.mix", "blocks.1.mix"]
    assert {layer.kind for layer in found} == {"Fourier"}
    assert found[0].place.startswith("test_faulty_layers.py:")
    assert "fft" in found[0].reason


def test_a_model_whose_layers_all_pass_has_no_faulty_one() -> None:
    assert faulty_layers(Model(blocks=0).eval(), (IDS,), opset=17) == []
