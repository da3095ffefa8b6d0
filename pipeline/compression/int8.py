"""Dynamic int8: weights are stored as 8-bit integers, activations are quantized at run time.

Quantizers silently skip what they do not recognise, so the result is inspected: how many operators
work on integers, how many large float32 weights remain, how many bytes were saved.
"""

import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path
from pipeline.core.sections import QuantizeParams

_LARGE_WEIGHT = 1024
"""Float32 matrices of at least this many numbers count as not quantized."""

_LSTM_VECTORS = (3, 8, 10)
"""The input positions of an LSTM's biases and, once quantized, of its matrices' scales."""

_PART = 1 << 20

_INTEGER_OPERATORS = ("MatMulInteger", "DynamicQuantizeLinear", "DynamicQuantizeLSTM")

_WEIGHT = {"MatMul": 1, "Gemm": 1, "Gather": 0, "LSTM": 1}
"""Operator → the position of its weight among its inputs."""

_SEVEN_BITS = {"portable": True, "vnni": False}
"""Preset → whether weights use only seven of their eight bits. Processors without VNNI add two
products of an unsigned and a signed byte in 16 bits, which can overflow with eight bits and
cannot with seven."""


@dataclass(frozen=True)
class Operator:
    """An operator whose weight can be quantized to int8: its node's name, its bytes in float32."""

    name: str
    bytes: int

    @property
    def nodes(self) -> list[str]:
        """Its name, and the one it has after the quantizer has split a Gemm into MatMul and Add."""
        return [self.name, f"{self.name}_MatMul"]


@dataclass(frozen=True)
class Structure:
    """Inventory of a graph: operators on integers, and what is still in float32.

    Attributes:
        operators: number of operators that work on integers, by type.
        quantized_embeddings: number of embedding tables stored in bytes.
        float_matrix_products: number of products with a constant float32 matrix that int8 missed.
        large_float_weights: names of large matrices that are still float32.
        float_operators: names of operators kept in float32 on purpose; not counted above.
    """

    operators: dict[str, int]
    quantized_embeddings: int
    float_matrix_products: int
    large_float_weights: list[str]
    float_operators: list[str]
    bytes: int


def quantize_int8(
    source: Path, target: Path, *, params: QuantizeParams, float_operators: Sequence[Operator] = ()
) -> None:
    """Writes the int8 model of the float32 model `source`, byte for byte reproducibly.

    Args:
        float_operators: operators that stay in float32.
    """
    left_out = [node for operator in float_operators for node in operator.nodes]
    with folded(source) as ready, atomic_path(target) as temporary:
        quantize_folded(ready, temporary, params=params, left_out=left_out)


def quantize_products(source: Path, target: Path) -> None:
    """Writes the model with its matrix products in int8, exact enough on every processor.

    Embeddings stay in float32: it is for speed, not for size.
    """
    with folded(source) as ready, atomic_path(target) as temporary:
        quantize_dynamic(
            ready,
            temporary,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=_SEVEN_BITS["portable"],
            weight_type=QuantType.QInt8,
        )


@contextmanager
def folded(source: Path) -> Iterator[Path]:
    """Yields a file of the model with constants folded; others would not be quantized."""
    with tempfile.TemporaryDirectory() as name:
        ready = Path(name) / "folded.onnx"
        # Only static quantization uses symbolic shapes, and they need another package.
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        yield ready


def quantize_folded(
    ready: Path,
    target: Path,
    *,
    params: QuantizeParams,
    alone: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> None:
    """Writes the `folded` model `ready` with nodes in int8: `alone`, or all but `left_out`."""
    quantize_dynamic(
        ready,
        target,
        op_types_to_quantize=["MatMul", "LSTM", *(["Gather"] if params.embeddings else [])],
        nodes_to_quantize=list(alone),
        nodes_to_exclude=list(left_out),
        per_channel=params.per_channel,
        reduce_range=_SEVEN_BITS[params.preset],
        weight_type=QuantType.QInt8,
    )


def quantizable(ready: Path, *, params: QuantizeParams) -> list[Operator]:
    """The operators of a `folded` model that int8 can quantize, in graph order."""
    graph = onnx.load(ready).graph
    sizes = {
        tensor.name: prod(tensor.dims) * np.dtype(np.float32).itemsize
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1
    }
    return [
        Operator(node.name, sizes[weight])
        for node in graph.node
        if (place := _WEIGHT.get(node.op_type)) is not None
        and (weight := node.input[place]) in sizes
        and (params.embeddings or node.op_type != "Gather")
    ]


def named(operators: Sequence[Operator], patterns: Sequence[str]) -> list[Operator]:
    """The operators whose name matches one of the patterns (`*` matches any characters)."""
    return [one for one in operators if any(fnmatchcase(one.name, p) for p in patterns)]


def inspect(path: Path, float_operators: Sequence[Operator] = ()) -> Structure:
    """Counts what a graph computes with integers and what with floats.

    Args:
        float_operators: operators that were kept in float32 on purpose.
    """
    graph = onnx.load(path).graph
    kept = {node for operator in float_operators for node in operator.nodes}
    nodes = [node for node in graph.node if node.name not in kept]
    types = Counter(node.op_type for node in graph.node)
    floats = _initializers(graph, onnx.TensorProto.FLOAT)
    # Matrices are quantized to signed bytes, embedding tables to unsigned ones.
    integers = _initializers(graph, onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    allowed = {name for node in graph.node if node.name in kept for name in node.input}
    allowed |= _lstm_vectors(nodes)
    return Structure(
        operators={name: types[name] for name in _INTEGER_OPERATORS if types[name]},
        quantized_embeddings=sum(n.op_type == "Gather" and n.input[0] in integers for n in nodes),
        float_matrix_products=sum(
            n.op_type in ("MatMul", "Gemm") and any(i in floats for i in n.input[:2]) for n in nodes
        ),
        large_float_weights=sorted(
            name
            for name, sizes in floats.items()
            if name not in allowed and len(sizes) > 1 and prod(sizes) >= _LARGE_WEIGHT
        ),
        float_operators=[operator.name for operator in float_operators],
        bytes=path.stat().st_size,
    )


def _initializers(graph: onnx.GraphProto, *types: int) -> dict[str, list[int]]:
    """Name → sizes of the graph's constants of these types."""
    return {t.name: list(t.dims) for t in graph.initializer if t.data_type in types}


def _lstm_vectors(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Names of the biases and scales of LSTMs, which have two dimensions, `(1, n)`."""
    return {
        node.input[place]
        for node in nodes
        for place in _LSTM_VECTORS
        if "LSTM" in node.op_type and place < len(node.input)
    }


def zipped_bytes(path: Path) -> int:
    """The size of a file compressed by zlib at its defaults, as in a download or an archive."""
    packer = zlib.compressobj()
    with path.open("rb") as file:
        packed = sum(len(packer.compress(part)) for part in iter(partial(file.read, _PART), b""))
    return packed + len(packer.flush())


def require_quantized(
    name: str, before: Structure, after: Structure, *, params: QuantizeParams
) -> None:
    """Refuses a graph that was not quantized, or only in part.

    Raises:
        ArtifactError: there is no integer product, a float32 product or table, or no byte saved.
    """
    faults = []
    if not after.operators.get("MatMulInteger") and not after.operators.get("DynamicQuantizeLSTM"):
        faults.append("no integer matrix product")
    if after.float_matrix_products:
        faults.append(f"{after.float_matrix_products} float32 matrix products left")
    if params.embeddings and not after.quantized_embeddings:
        faults.append("no int8 embedding table")
    if params.embeddings and after.large_float_weights:
        faults.append(f"float32 weights left: {', '.join(after.large_float_weights[:3])}")
    if after.bytes >= before.bytes:
        faults.append(f"{after.bytes} bytes, no fewer than {before.bytes}")
    if faults:
        raise ArtifactError(
            f"{name} after quantization: {'; '.join(faults)}",
            expected="every constant matrix in int8",
            next_step="check the exported operators: weights must be constant inputs of MatMul",
        )
