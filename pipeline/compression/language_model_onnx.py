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

STATES = "states"
OUTPUTS = {"bilm": ("after", "before", STATES), "bert": ("here", STATES)}
"""Family → names of the graph's outputs: logits, `(batch, length, vocabulary)`, and states,
`(layers + 1, batch, length, width)`, the embeddings first."""

Answers = Callable[[ParityCase], dict[str, NDArray[np.float32]]]
"""From a request to the outputs by name."""


class _Bilm(torch.nn.Module):
    def __init__(self, model: BilmForLanguageModelling, *, folded: bool) -> None:
        super().__init__()
        self.bilm, self.model = FoldedBilm(model.bilm) if folded else model.bilm, model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        layers = self.bilm(input_ids, attention_mask)
        joined, after, before = layers.joined(), layers.forward[-1], layers.backward[-1]
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
    if not isinstance(model, BilmForLanguageModelling):
        model.set_attn_implementation("eager")
    wrapper, tokens = _wrapped(model, folded=True).eval(), model.config.vocab_size
    outputs = {name: {0: "batch", 1: "length"} for name in OUTPUTS[family_of(model)]}
    outputs[STATES] = {1: "batch", 2: "length"}
    trace(wrapper, path, inputs=INPUTS, outputs=outputs, tokens=tokens, opset=opset)


def _wrapped(model: PreTrainedModel, *, folded: bool) -> torch.nn.Module:
    """The model with positional inputs and the outputs of the graph."""
    if isinstance(model, BilmForLanguageModelling):
        return _Bilm(model, folded=folded)
    return _Masked(model)


def torch_answers(model: PreTrainedModel) -> Answers:
    """A function that runs the trained torch model, in evaluation mode and without any folding."""
    wrapper, names = _wrapped(model.to("cpu"), folded=False).eval(), OUTPUTS[family_of(model)]

    def run(case: ParityCase) -> dict[str, NDArray[np.float32]]:
        with torch.inference_mode():
            found = wrapper(*(torch.from_numpy(values) for values in case.feed().values()))
        return {name: value.numpy() for name, value in zip(names, found, strict=True)}

    return run


def onnx_answers(session: ort.InferenceSession) -> Answers:
    """A function that runs the exported model in the same form."""
    names = [output.name for output in session.get_outputs()]

    def run(case: ParityCase) -> dict[str, NDArray[np.float32]]:
        return dict(zip(names, session.run(names, case.feed()), strict=True))

    return run


def largest_difference(
    reference: Answers, candidate: Answers, cases: Mapping[str, ParityCase]
) -> dict[str, float]:
    """The largest absolute difference of any output, padding aside, for each case."""

    def difference(case: ParityCase) -> float:
        real, found = case.attention_mask.astype(bool), candidate(case)
        gaps = [np.abs(values - found[name]) for name, values in reference(case).items()]
        return max(float(np.max(gap[:, real] if gap.ndim == 4 else gap[real])) for gap in gaps)

    return {label: difference(case) for label, case in cases.items()}
