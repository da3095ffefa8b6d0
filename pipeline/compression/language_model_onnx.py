"""Exports the pretrained language model to ONNX, for the server's language-model routes.

A bidirectional model outputs the logits of the token after each position and of the token before
it; a masked model those of the token at each position. Both output every layer's states: contextual
embeddings.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from pipeline.compression.bilm_onnx import FoldedBilm
from pipeline.compression.onnx_export import INPUTS, ParityCase, trace
from pipeline.models.bilm import BilmForLanguageModelling
from pipeline.text.batching import Ids

STATES = "states"
OUTPUTS = {"bilm": ("after", "before", STATES), "bert": ("here", STATES)}
"""Family → names of the graph's outputs: logits, `(batch, length, vocabulary)`, and states,
`(layers + 1, batch, length, width)`, the embeddings first."""

Arrays = dict[str, NDArray[np.float32]]
Answers = Callable[[Ids, Ids], Arrays]
"""From ids and mask, `(batch, length)`, to the outputs by name."""


class _Bilm(torch.nn.Module):
    def __init__(self, model: BilmForLanguageModelling) -> None:
        super().__init__()
        self.bilm, self.model = FoldedBilm(model.bilm), model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        layers = self.bilm(input_ids, attention_mask)
        joined = [
            torch.cat(pair, dim=-1) for pair in zip(layers.forward, layers.backward, strict=True)
        ]
        after, before = layers.forward[-1], layers.backward[-1]
        return self.model.scores(after), self.model.scores(before), torch.stack(joined)


class _Masked(torch.nn.Module):
    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        found = self.model(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        )
        return found.logits, torch.stack(found.hidden_states)


def family_of(model: PreTrainedModel) -> str:
    """`bilm` or `bert`."""
    return "bilm" if isinstance(model, BilmForLanguageModelling) else "bert"


def export_language_model(model: PreTrainedModel, path: Path, *, opset: int) -> None:
    """Writes `model` as one ONNX file with dynamic batch and length."""
    wrapper: torch.nn.Module
    if isinstance(model, BilmForLanguageModelling):
        wrapper = _Bilm(model)
    else:
        model.set_attn_implementation("eager")
        wrapper = _Masked(model)
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2])
    ids = torch.arange(14).reshape(2, 7) % model.config.vocab_size
    names = OUTPUTS[family_of(model)]
    shape = {0: "batch", 1: "length"}
    axes = dict.fromkeys([*INPUTS, *names], shape) | {STATES: {1: "batch", 2: "length"}}
    trace(wrapper.eval(), (ids, mask), path, inputs=INPUTS, outputs=names, axes=axes, opset=opset)


def torch_answers(model: PreTrainedModel) -> Answers:
    """A function that runs the trained torch model, in evaluation mode and without any folding."""
    model.to("cpu").eval()
    names = OUTPUTS[family_of(model)]

    def run(input_ids: Ids, attention_mask: Ids) -> Arrays:
        ids, mask = torch.from_numpy(input_ids), torch.from_numpy(attention_mask)
        with torch.inference_mode():
            if isinstance(model, BilmForLanguageModelling):
                layers = model.bilm(ids, mask)
                both = zip(layers.forward, layers.backward, strict=True)
                states = torch.stack([torch.cat(pair, dim=-1) for pair in both])
                found = (*model(ids, mask), states)
            else:
                found = _Masked(model)(ids, mask)
        return {name: value.numpy() for name, value in zip(names, found, strict=True)}

    return run


def onnx_answers(session: ort.InferenceSession) -> Answers:
    """A function that runs the exported model in the same form."""
    names = [output.name for output in session.get_outputs()]

    def run(input_ids: Ids, attention_mask: Ids) -> Arrays:
        feed = {"input_ids": input_ids, "attention_mask": attention_mask}
        return dict(zip(names, session.run(names, feed), strict=True))

    return run


def largest_difference(
    reference: Answers, candidate: Answers, cases: Mapping[str, ParityCase]
) -> dict[str, float]:
    """The largest absolute difference of any output, padding aside, for each case."""
    differences = {}
    for label, case in cases.items():
        given = reference(case.input_ids, case.attention_mask)
        found = candidate(case.input_ids, case.attention_mask)
        real = case.attention_mask.astype(bool)
        differences[label] = max(
            float(np.max(np.abs(_real(given[name], real) - _real(found[name], real))))
            for name in given
        )
    return differences


def _real(values: NDArray[np.float32], real: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The values at positions that are not padding."""
    return values[:, real] if values.ndim == 4 else values[real]
