"""The portable int8 preset gives the same answers on processors whose 8-bit products saturate.

Without VNNI a processor adds two products of unsigned activations and signed weights in 16 bits, and what
does not fit is cut (VPMADDUBSW). No test machine is that processor on demand, so its arithmetic is
computed here in NumPy, inside onnx's own reference evaluator.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from pipeline.compression.int8 import quantize_int8
from pipeline.core.sections import QuantizeParams
from pipeline.runtime.session import open_session
from tests.support.tiny_workspace import compressed_workspace

PORTABLE = QuantizeParams(
    preset="portable", per_channel=True, embeddings=True, float_operators=[], min_agreement=0.0
)
WHOLE_RANGE = PORTABLE.model_copy(update={"preset": "vnni"})


def saturating_product(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int32]:
    """The product of uint8, `(…, k)`, and int8, `(k, n)`, as VPMADDUBSW and VPMADDWD compute it.

    Products of two neighbours are added in 16 bits with saturation, those sums in 32 bits.
    """
    k, n = second.shape
    odd = k % 2
    wide = np.pad(first.astype(np.int32), [(0, 0)] * (first.ndim - 1) + [(0, odd)])
    weights = np.pad(second.astype(np.int32), [(0, odd), (0, 0)])
    pairs = wide[..., :, None] * weights
    pairs = pairs.reshape(*first.shape[:-1], -1, 2, n).sum(axis=-2)
    saturated = np.clip(pairs, np.iinfo(np.int16).min, np.iinfo(np.int16).max)
    return np.asarray(saturated.sum(axis=-2), dtype=np.int32)


class MatMulInteger(OpRun):
    """MatMulInteger on a processor that saturates; zero points are corrected afterwards."""

    def _run(self, a: Any, b: Any, a_zero: Any = None, b_zero: Any = None) -> tuple[Any]:
        assert b_zero is None or not np.any(b_zero)
        product = saturating_product(a, b)
        return (product - np.int32(0 if a_zero is None else a_zero) * b.astype(np.int32).sum(0),)


class DequantizeLinear(OpRun):
    """Dequantization of whole tensors, which the evaluator lacks for this opset."""

    def _run(self, x: Any, scale: Any, zero: Any = None, **_: Any) -> tuple[Any]:
        assert np.size(scale) == 1
        shifted = x.astype(np.float32) - np.float32(0 if zero is None else zero)
        return (np.asarray(shifted * scale, dtype=np.float32),)


def answers(model: Path, rows: list[list[int]], *, saturating: bool) -> NDArray[np.float32]:
    """The logits, `(rows, labels)`, by the reference evaluator, one row at a time."""
    operators: list[type[OpRun]] = [DequantizeLinear]
    run = ReferenceEvaluator(str(model), new_ops=operators + [MatMulInteger] * saturating)
    found = []
    for row in rows:
        ids = np.array([row], dtype=np.int64)
        found.append(run.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}))
    return np.concatenate([logits for [logits] in found])


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny student in float32, with some outlying weights, as trained models have."""
    _, paths = compressed_workspace(tmp_path_factory)
    model = onnx.load(paths.read("export", "student", "model.onnx"))
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 2:
            values = np.sign(values) * np.maximum(np.abs(values), 0.9 * np.abs(values).max())
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    path = tmp_path_factory.mktemp("saturation") / "float32.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def rows() -> list[list[int]]:
    random = np.random.default_rng(0)
    return [random.integers(5, 60, size=length).tolist() for length in [1, 2, 5, 9, 14, 20] * 4]


def test_the_emulator_saturates_where_the_processor_does() -> None:
    most = np.array([[255, 255]], dtype=np.uint8)
    assert saturating_product(most, np.array([[127], [127]], np.int8)).item() == 32767
    assert saturating_product(most, np.array([[-128], [-128]], np.int8)).item() == -32768
    assert saturating_product(most, np.array([[64], [64]], np.int8)).item() == 2 * 255 * 64
    random = np.random.default_rng(1)
    first = random.integers(0, 256, (3, 7), dtype=np.uint8)
    second = random.integers(-64, 65, (7, 5), dtype=np.int8)
    exact = first.astype(np.int32) @ second.astype(np.int32)
    assert (saturating_product(first, second) == exact).all()


def test_the_portable_preset_answers_alike_on_both_kinds_of_processor(
    student: Path, rows: list[list[int]], tmp_path: Path
) -> None:
    quantize_int8(student, tmp_path / "portable.onnx", params=PORTABLE)
    exact = answers(tmp_path / "portable.onnx", rows, saturating=False)
    assert (answers(tmp_path / "portable.onnx", rows, saturating=True) == exact).all()
    session = open_session(tmp_path / "portable.onnx", threads=1)
    for row, logits in zip(rows, exact, strict=True):
        ids = np.array([row], dtype=np.int64)
        [found] = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        assert found[0].argmax() == logits.argmax()


def test_the_whole_range_does_not(student: Path, rows: list[list[int]], tmp_path: Path) -> None:
    """The test above would therefore notice a preset that is not portable."""
    quantize_int8(student, tmp_path / "whole.onnx", params=WHOLE_RANGE)
    exact = answers(tmp_path / "whole.onnx", rows, saturating=False)
    saturated = answers(tmp_path / "whole.onnx", rows, saturating=True)
    assert (exact.argmax(axis=1) != saturated.argmax(axis=1)).any()
