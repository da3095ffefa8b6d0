"""Exports a classifier from torch to ONNX, and measures that both give the same answers.

The older, tracing exporter is used on purpose: a BERT encoder has no data-dependent control flow,
the graph that it writes from eager attention quantizes well, and it exports any number of models in
one process. A trace can freeze a length or a mask of its example, so `largest_differences` compares
inputs of other shapes.
"""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from transformers import BertForSequenceClassification, PreTrainedModel

from pipeline.compression.bert_onnx import FoldedBert
from pipeline.compression.bilm_onnx import FoldedClassifier
from pipeline.compression.convolution import convolutions_as_products
from pipeline.compression.low_rank import split_into_factors
from pipeline.compression.structured import drop_heads
from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path
from pipeline.models.adopted import AdoptedClassifier
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.text.batching import Ids, pad

Logits = NDArray[np.float32]
INPUTS = ("input_ids", "attention_mask")
SEGMENTS = "token_type_ids"
"""The third input of a model with segments."""
OUTPUT = "logits"
PADDED_TEXTS = "real texts in one padded batch"

# Warnings that the exporter prints for every BERT, LSTM or padded convolution; any others are shown.
_KNOWN_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    (r"You are using the legacy TorchScript-based ONNX export", DeprecationWarning),
    (r"The feature will be removed\. Please remove usage", DeprecationWarning),
    (r"Converting a tensor to a Python boolean", torch.jit.TracerWarning),
    (r"Exporting a model to ONNX with a batch_size other than 1", UserWarning),
    (r"Constant folding - Only steps=1 can be constant folded", UserWarning),
    (r"Exporting aten::index operator of advanced indexing", UserWarning),
)


class _LogitsOnly(torch.nn.Module):
    """The classifier with positional inputs and one output tensor."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        segments = {} if token_type_ids is None else {SEGMENTS: token_type_ids}
        logits: torch.Tensor = self.model(
            input_ids=input_ids, attention_mask=attention_mask, **segments
        ).logits
        return logits


@dataclass(frozen=True)
class ParityCase:
    """A request: ids, mask and optional segments, each int64 `(batch, length)`."""

    input_ids: Ids
    attention_mask: Ids
    segments: Ids | None = None

    def feed(self) -> dict[str, Ids]:
        """The inputs by name."""
        named = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        return named if self.segments is None else named | {SEGMENTS: self.segments}

    def row(self, number: int) -> "ParityCase":
        """One row as a batch of its own, without padding."""
        cut = slice(number, number + 1), slice(int(self.attention_mask[number].sum()))
        kinds = None if self.segments is None else self.segments[cut]
        return ParityCase(self.input_ids[cut], self.attention_mask[cut], kinds)


Runner = Callable[[ParityCase], Logits]
"""From a request to logits, `(batch, outputs)`."""


def export_onnx(
    model: PreTrainedModel,
    path: Path,
    *,
    opset: int,
    segments: bool = False,
    max_length: int | None = None,
) -> None:
    """Writes `model` as one ONNX file with dynamic batch and length.

    Args:
        segments: whether the graph has segment ids as a third input.
        max_length: the most tokens of an input; None allows as many as the model has positions for.
    """
    # The exporter restores the root module's training flag, so the wrapper itself must be in eval.
    wrapper = exportable(plain_copy(model), segments=segments, max_length=max_length).eval()
    inputs, tokens = [*INPUTS, SEGMENTS] if segments else INPUTS, model.config.vocab_size
    trace(wrapper, path, inputs=inputs, outputs={OUTPUT: {0: "batch"}}, tokens=tokens, opset=opset)


def trace(
    wrapper: torch.nn.Module,
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Mapping[str, Mapping[int, str]],
    tokens: int,
    opset: int,
) -> None:
    """Writes the graph that `wrapper` computes from an example.

    Args:
        inputs: `INPUTS`, and `SEGMENTS` where it has them.
        outputs: the dynamic axes of each output.
        tokens: the size of the vocabulary.
    """
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2])
    ids = torch.arange(14).reshape(2, 7) % tokens
    with atomic_path(path) as temporary, warnings.catch_warnings():
        for message, category in _KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        torch.onnx.export(
            wrapper,
            (ids, mask, ids % 2)[: len(inputs)],
            str(temporary),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**{name: {0: "batch", 1: "length"} for name in inputs}, **outputs},
            opset_version=opset,
            dynamo=False,
        )


def plain_copy(model: PreTrainedModel) -> PreTrainedModel:
    """A copy whose layers are computed as they are to be exported: eagerly, without absent heads."""
    thin = copy.deepcopy(model)
    if isinstance(thin, BilmForSequenceClassification):
        return thin
    if isinstance(thin, AdoptedClassifier):
        convolutions_as_products(thin)
        return thin
    split_into_factors(thin)
    drop_heads(thin)
    thin.set_attn_implementation("eager")
    return thin


def exportable(
    plain: PreTrainedModel, *, segments: bool, max_length: int | None
) -> torch.nn.Module:
    """A `plain_copy` with positional inputs and one output tensor; it shares the copy's layers."""
    if isinstance(plain, BilmForSequenceClassification):
        return FoldedClassifier(plain)
    if isinstance(plain, BertForSequenceClassification):
        return FoldedBert(plain, segments=segments, max_length=max_length)
    return _LogitsOnly(plain)


def torch_runner(model: PreTrainedModel) -> Runner:
    """A function that runs the torch model in evaluation mode, float32 on the CPU."""
    model.to("cpu").eval()

    def run(case: ParityCase) -> Logits:
        given = {name: torch.from_numpy(values) for name, values in case.feed().items()}
        with torch.inference_mode():
            logits: Logits = model(**given).logits.float().numpy()
        return logits

    return run


def onnx_runner(session: ort.InferenceSession) -> Runner:
    """A function that runs the exported model in the same form."""

    def run(case: ParityCase) -> Logits:
        result: Logits = session.run([OUTPUT], case.feed())[0]
        return result

    return run


def parity_cases(
    rows: Sequence[Sequence[int]],
    *,
    vocabulary_size: int,
    max_length: int,
    pad_token_id: int,
    seed: int,
    segments: Sequence[Sequence[int]] | None = None,
) -> dict[str, ParityCase]:
    """Requests in every shape that could go wrong, by a name that the certificate shows.

    Args:
        rows: token ids of real texts or pairs, at most `max_length` each.
        segments: segment ids of `rows`, for a model that has them.
    """
    random = np.random.default_rng(seed)

    def noise(batch: int, length: int) -> ParityCase:
        ids = random.integers(0, vocabulary_size, (batch, length), dtype=np.int64)
        kinds = np.tile(np.arange(length) >= length // 2, (batch, 1)).astype(np.int64)
        return ParityCase(ids, np.ones_like(ids), None if segments is None else kinds)

    def real(numbers: Sequence[int]) -> ParityCase:
        ids, mask = pad([rows[i] for i in numbers], pad_token_id=pad_token_id)
        if segments is None:
            return ParityCase(ids, mask)
        return ParityCase(ids, mask, pad([segments[i] for i in numbers], pad_token_id=0)[0])

    cases = {
        "one token": noise(1, 1),
        "longest": noise(1, max_length),
        "odd batch, odd length": noise(3, min(17, max_length)),
        "odd batch, longest": noise(5, max_length),
        PADDED_TEXTS: real(range(len(rows))),
    }
    return cases | {f"real text {number} alone": real([number]) for number in range(len(rows))}


def largest_differences(
    reference: Runner, candidate: Runner, cases: Mapping[str, ParityCase]
) -> dict[str, float]:
    """The largest absolute difference of a logit in each case, and that caused by padding."""
    padded = cases[PADDED_TEXTS]
    alone = [candidate(padded.row(number)) for number in range(len(padded.input_ids))]
    return {
        **{name: _difference(reference(case), candidate(case)) for name, case in cases.items()},
        "padded batch against each text alone": _difference(
            candidate(padded), np.concatenate(alone)
        ),
    }


def require_parity(name: str, differences: Mapping[str, float], *, tolerance: float) -> None:
    """Refuses a model whose ONNX answers differ from torch's.

    Raises:
        ArtifactError: a difference exceeds the tolerance, or is not a number.
    """
    # Written so that NaN, which compares false with everything, counts as a breach.
    breaches = {case: value for case, value in differences.items() if not value <= tolerance}
    if breaches:
        worst = max(breaches, key=lambda case: breaches[case])
        raise ArtifactError(
            f"{name}: ONNX and torch differ by {breaches[worst]:.2g} ({worst}; "
            f"{len(breaches)} of {len(differences)} cases are over the limit)",
            expected=f"at most {tolerance:g} in every logit",
            next_step="check the exporter (export.opset) and torch versions against constraints.txt",
        )


def _difference(first: Logits, second: Logits) -> float:
    return float(np.max(np.abs(first.astype(np.float64) - second.astype(np.float64))))
