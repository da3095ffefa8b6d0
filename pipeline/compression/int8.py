"""Dynamic int8: weights stored as 8-bit integers, activations quantized as they come.

Quantizers skip what they do not recognise without a word, so the result is inspected: how many
operators work on integers, how many large float32 weights are left, how many bytes were saved.
"""

import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
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
"""Float32 matrices of at least this many numbers count as left out; biases stay in float32."""

_LSTM_VECTORS = (3, 8, 10)
"""Places of the biases and, once quantized, of the scales of both matrices among an LSTM's inputs."""

_PART = 1 << 20

_INTEGER_OPERATORS = ("MatMulInteger", "DynamicQuantizeLinear", "DynamicQuantizeLSTM")

_WEIGHT = {"MatMul": 1, "Gemm": 1, "Gather": 0, "LSTM": 1}
"""Operator → the place of its weight among its inputs."""

_SEVEN_BITS = {"portable": True, "vnni": False}
"""Preset → whether weights leave one of their eight bits unused. Processors without VNNI add two products of
unsigned and signed bytes in 16 bits, and two of seven bits always fit."""


@dataclass(frozen=True)
class Operator:
    """One operator with a weight that int8 can take.

    Attributes:
        name: of its node.
        bytes: of its weight in float32.
    """

    name: str
    bytes: int

    @property
    def nodes(self) -> list[str]:
        """Its name, and the one it gets where the quantizer parts a product from its addition."""
        return [self.name, f"{self.name}_MatMul"]


@dataclass(frozen=True)
class Structure:
    """What a graph is made of.

    Attributes:
        operators: operators that work on integers, by type.
        quantized_embeddings: tables looked up in bytes.
        float_matrix_products: products of a constant float32 matrix, which int8 should have taken.
        large_float_weights: names of float32 matrices that are still large.
        float_operators: operators left in float32 on purpose; not counted above.
        bytes: size of the file.
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
    """Write the int8 model of the float32 ONNX model `source`. The same input gives the same bytes.

    Args:
        float_operators: what stays in float32.
    """
    left_out = [node for operator in float_operators for node in operator.nodes]
    with folded(source) as ready, atomic_path(target) as temporary:
        _quantize(ready, temporary, params=params, left_out=left_out)


def quantize_alone(
    ready: Path, target: Path, operator: Operator, *, params: QuantizeParams
) -> None:
    """Write the `folded` model `ready` with `operator` in int8 and all others in float32."""
    _quantize(ready, target, params=params, alone=operator.nodes)


@contextmanager
def folded(source: Path) -> Iterator[Path]:
    """The model with its constants folded: weights that are computed in the graph would be skipped."""
    with tempfile.TemporaryDirectory() as name:
        ready = Path(name) / "folded.onnx"
        # Symbolic shapes serve static quantization alone, and need one more package.
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        yield ready


def _quantize(
    ready: Path,
    target: Path,
    *,
    params: QuantizeParams,
    alone: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> None:
    quantize_dynamic(
        ready,
        target,
        op_types_to_quantize=["MatMul", "LSTM"] + ["Gather"] * params.embeddings,
        nodes_to_quantize=list(alone),
        nodes_to_exclude=list(left_out),
        per_channel=params.per_channel,
        reduce_range=_SEVEN_BITS[params.preset],
        weight_type=QuantType.QInt8,
    )


def quantizable(ready: Path, *, params: QuantizeParams) -> list[Operator]:
    """Operators of a `folded` model that int8 takes, in the order of the graph."""
    graph = onnx.load(ready).graph
    sizes = {
        tensor.name: prod(tensor.dims) * np.dtype(np.float32).itemsize
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1
    }
    found = [
        Operator(node.name, sizes[weight])
        for node in graph.node
        if (place := _WEIGHT.get(node.op_type)) is not None
        and (weight := node.input[place]) in sizes
    ]
    names = {node.name: node.op_type for node in graph.node}
    return [one for one in found if params.embeddings or names[one.name] != "Gather"]


def named(operators: Sequence[Operator], patterns: Sequence[str]) -> list[Operator]:
    """The operators whose name fits one of the patterns (`*` stands for any characters)."""
    return [one for one in operators if any(fnmatchcase(one.name, p) for p in patterns)]


def inspect(path: Path, float_operators: Sequence[Operator] = ()) -> Structure:
    """Count what is in integers and what is not.

    Args:
        float_operators: what was left in float32 on purpose.
    """
    graph = onnx.load(path).graph
    kept = {node for operator in float_operators for node in operator.nodes}
    types = Counter(node.op_type for node in graph.node)
    floats = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
    # Matrices become signed, looked-up tables unsigned bytes.
    bytewide = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    integers = {tensor.name for tensor in graph.initializer if tensor.data_type in bytewide}
    nodes = [node for node in graph.node if node.name not in kept]
    allowed = {name for node in graph.node if node.name in kept for name in node.input}
    # Biases and scales stay as they are; those of an LSTM have two dimensions, the first of them 1.
    vectors = {
        node.input[place]
        for node in nodes
        if "LSTM" in node.op_type
        for place in _LSTM_VECTORS
        if place < len(node.input)
    }
    large = [
        tensor.name
        for tensor in graph.initializer
        if tensor.name in floats - vectors - allowed
        and len(tensor.dims) > 1
        and prod(tensor.dims) >= _LARGE_WEIGHT
    ]
    return Structure(
        operators={name: types[name] for name in _INTEGER_OPERATORS if types[name]},
        quantized_embeddings=sum(n.op_type == "Gather" and n.input[0] in integers for n in nodes),
        float_matrix_products=sum(
            n.op_type in ("MatMul", "Gemm") and any(i in floats for i in n.input[:2]) for n in nodes
        ),
        large_float_weights=sorted(large),
        float_operators=[operator.name for operator in float_operators],
        bytes=path.stat().st_size,
    )


def zipped_bytes(path: Path) -> int:
    """Size of a file after zlib's default compression, as a download or an archive has it."""
    packer = zlib.compressobj()
    with path.open("rb") as file:
        packed = sum(len(packer.compress(part)) for part in iter(partial(file.read, _PART), b""))
    return packed + len(packer.flush())


def require_quantized(
    name: str, before: Structure, after: Structure, *, params: QuantizeParams
) -> None:
    """Refuse a graph in which int8 did not happen, or only in part.

    Raises:
        ArtifactError: no integer product, a float32 product or table left over, or no bytes saved.
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
            next_step="see which operators the export holds; weights must be constants of MatMul",
        )
