"""Tries a research model as the stages and the server will use it, and says what is in the way.

In this order: it answers at every length, runs the same code for every text, ignores padding, becomes
ONNX that answers as it does, and has no large weights that int8 leaves in float32.
"""

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from transformers import PreTrainedModel

from pipeline.adopt.control_flow import loops_in, require_static
from pipeline.adopt.faulty_layers import WAY_OUT, FaultyLayer, faulty_layers
from pipeline.compression import int8, onnx_export
from pipeline.core.errors import ArtifactError
from pipeline.core.params import Params
from pipeline.models.adopted import AdoptedClassifier, place_in
from pipeline.models.checkpoint_check import positions_of
from pipeline.runtime.session import open_session

_SHOWN = 3
Cases = dict[str, onnx_export.ParityCase]


def try_out(
    model: PreTrainedModel,
    cases: Cases,
    *,
    code: Path | None,
    tolerance: float,
    segments: bool,
    params: Params,
    of: str,
) -> None:
    """Goes through all of it.

    Args:
        cases: requests of real texts and of the shortest and longest that there can be.
        code: the team's Python file; None for a transformers model.
        tolerance: how far an output of ONNX may be from torch's.

    Raises:
        ArtifactError: naming the line, layer or length that is in the way, and the way out.
    """
    require_answers(model, cases, code=code, outputs=len(params.product.labels), of=of)
    if isinstance(model, AdoptedClassifier) and code is not None:
        require_static(model, code, max_length=params.prepare.max_length)
    require_padding_ignored(model, cases, tolerance=tolerance, of=of)
    with tempfile.TemporaryDirectory() as name:
        exported, quantized = Path(name) / "model.onnx", Path(name) / "int8.onnx"
        _export(model, exported, cases, segments=segments, params=params, of=of)
        _require_parity(model, exported, cases, code=code, tolerance=tolerance, of=of)
        int8.quantize_int8(exported, quantized, params=params.quantize)
        require_int8(quantized, of=of)


def require_answers(
    model: PreTrainedModel, cases: Cases, *, code: Path | None, outputs: int, of: str
) -> None:
    """Refuses a model that fails at a length, or has other outputs than one for each label."""
    run = onnx_export.torch_runner(model)
    for name, case in cases.items():
        try:
            found = run(case)
        except Exception as error:  # somebody's code
            where = of if code is None else place_in(error, code)
            positions = None if code is not None else positions_of(model)
            raise ArtifactError(
                f"{where}: {type(error).__name__} at {case.input_ids.shape} (texts, tokens), {name}: "
                f"{str(error).splitlines()[0] if str(error) else ''}",
                expected="an answer for every length from one token to prepare.max_length, and every token "
                "of the tokenizer",
                next_step="lower prepare.max_length in the product file"
                + (f" to {positions} or less" if positions else "")
                + ("; for short texts, pad inside the module" if code is not None else ""),
            ) from error
        if found.shape != (len(case.input_ids), outputs):
            raise ArtifactError(
                f"{of}: outputs of shape {found.shape} for {len(case.input_ids)} texts",
                expected=f"logits of shape (texts, {outputs}): one for each label of the product",
                next_step="return one row of logits a text, in the order of the product's labels",
            )


def require_padding_ignored(
    model: PreTrainedModel, cases: Cases, *, tolerance: float, of: str
) -> None:
    """Refuses a model whose answer to a text changes with the padding beside it."""
    run, padded = onnx_export.torch_runner(model), cases[onnx_export.PADDED_TEXTS]
    alone = np.concatenate([run(padded.row(number)) for number in range(len(padded.input_ids))])
    changed = float(np.abs(run(padded) - alone).max())
    if not changed <= tolerance:
        raise ArtifactError(
            f"{of}: a text's logits change by up to {changed:.2g} when it is padded",
            expected=f"at most {tolerance:g}: `attention_mask` is 0 where there is no token",
            next_step="keep padding out: multiply embeddings by attention_mask[..., None] before a "
            "convolution, and fill with -1e4 before a maximum where the mask is 0",
        )


def require_int8(path: Path, *, of: str) -> None:
    """Refuses a graph in which a layer's large weights are still in float32, by layer."""
    found = int8.inspect(path)
    if not found.large_float_weights:
        return
    graph = onnx.load(path).graph
    large = set(found.large_float_weights)
    layers = [
        f"{_own_name('.'.join(node.name.strip('/').split('/')[:-1])) or node.name} ({node.op_type})"
        for node in graph.node
        if large.intersection(node.input)
    ]
    raise ArtifactError(
        f"{of}: int8 leaves the weights of {_some(layers or sorted(large))} in float32",
        expected="large weights in embeddings, linear layers, LSTMs, and Conv1d of stride 1 and one group",
        next_step="write these layers with those: a GRU as an LSTM, a Conv2d over (token, width) as a "
        "Conv1d, a strided convolution as one of stride 1 before a pooling",
    )


def _export(
    model: PreTrainedModel, path: Path, cases: Cases, *, segments: bool, params: Params, of: str
) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", torch.jit.TracerWarning)
            onnx_export.export_onnx(
                model,
                path,
                opset=params.export.opset,
                segments=segments,
                max_length=params.prepare.max_length,
            )
    except Exception as error:  # the exporter has no common base of its errors
        raise ArtifactError(
            f"{of} cannot be exported: "
            + _some(_layers(model, cases, segments=segments, params=params) or [str(error)[:300]]),
            expected="layers made of operators that ONNX has",
            next_step=WAY_OUT,
        ) from error


def _layers(
    model: PreTrainedModel, cases: Cases, *, segments: bool, params: Params
) -> list[FaultyLayer]:
    plain = onnx_export.plain_copy(model)
    wrapper = onnx_export.exportable(
        plain, segments=segments, max_length=params.prepare.max_length
    ).eval()
    inputs = tuple(
        torch.from_numpy(values) for values in cases[onnx_export.PADDED_TEXTS].feed().values()
    )
    found = faulty_layers(wrapper, inputs, opset=params.export.opset)
    return [replace(layer, name=_own_name(layer.name)) for layer in found]


def _require_parity(
    model: PreTrainedModel,
    path: Path,
    cases: Cases,
    *,
    code: Path | None,
    tolerance: float,
    of: str,
) -> None:
    try:
        candidate = onnx_export.onnx_runner(open_session(path, threads=1))
        differences = onnx_export.largest_differences(
            onnx_export.torch_runner(model), candidate, cases
        )
        onnx_export.require_parity(of, differences, tolerance=tolerance)
    except Exception as error:  # ONNX Runtime has no base of its own for shapes that do not fit
        if not isinstance(model, AdoptedClassifier) or code is None:
            raise
        loops = loops_in(type(model.module), code)
        told = error.got if isinstance(error, ArtifactError) else str(error)[:200]
        raise ArtifactError(
            f"{told}: the graph keeps what one example did"
            + (f"; loops and branches: {_some(loops)}" if loops else ""),
            expected="the same answers from torch and ONNX at every length",
            next_step="take loops over tokens, and Python numbers made of shapes, out of forward: sums, "
            "`cumsum`, convolutions and LSTMs work on all tokens at once",
        ) from error


def _own_name(name: str) -> str:
    """A layer's name as the team has it, without those of what is put around their model for export."""
    return name.removeprefix("model.").removeprefix("module.")


def _some(found: Sequence[object]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(str(one) for one in found[:_SHOWN]) + more
