"""quantize makes int8 of every model, and says so only where it happened."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pipeline import quantize
from pipeline.compression.int8 import inspect, quantize_int8, require_quantized, zipped_bytes
from pipeline.compression.sensitivity import quantize_within, sensitivities
from pipeline.core.errors import ArtifactError, ParameterError
from pipeline.core.files import read_json, sha256_tree
from pipeline.core.paths import Paths
from pipeline.core.sections import QuantizeParams
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel
from tests.support import tiny_models
from tests.support.tiny_workspace import at, compressed_workspace

PARAMS = QuantizeParams(
    preset="portable", per_channel=True, embeddings=True, float_operators=[], min_agreement=0.0
)


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory):
    return compressed_workspace(tmp_path_factory)


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory):
    """A workspace that a test may change."""
    return compressed_workspace(tmp_path_factory)


@pytest.fixture
def source(quantized):
    """The file of the student in float32."""
    return quantized[1].read("export", "student", "model.onnx")


def certified(paths: Paths) -> dict[str, Any]:
    """Model → its certificate."""
    found: dict[str, Any] = read_json(paths.read("quantize", "certificate.json"))["models"]
    return found


def int8_matrices(model: Path) -> list[np.ndarray]:
    """The constants of two dimensions in a graph that are signed bytes."""
    return [
        onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(model).graph.initializer
        if tensor.data_type == TensorProto.INT8 and len(tensor.dims) > 1
    ]


def keeping(own, *names: str) -> None:
    """Quantizes again, with operators of these names in float32."""
    params, paths = own
    asked = params.quantize.model_copy(update={"float_operators": [*names]})
    quantize.run(params.model_copy(update={"quantize": asked}), at(paths, "quantize"))


def test_the_certificate_counts_integer_operators_and_saved_bytes(quantized) -> None:
    for entry in certified(quantized[1]).values():
        assert entry["operators"]["MatMulInteger"] >= 7  # per layer 6, and the head
        assert entry["operators"]["DynamicQuantizeLinear"] > 0
        assert entry["quantized_embeddings"] == 2  # words, and positions with the one segment
        assert entry["large_float_weights"] == []
        assert entry["bytes"] < entry["bytes_before"]
        assert 0 < entry["zipped_bytes"] <= entry["bytes"]
        assert 0.5 < entry["label_agreement"] <= 1.0
        assert 0 < entry["largest_probability_difference"] < 1


def test_the_certificate_tells_what_each_operator_costs_the_most_sensitive_first(quantized) -> None:
    models = certified(quantized[1])
    assert models["teacher"]["sensitivity"] is None
    found = models["student"]["sensitivity"]
    names = [entry["operator"] for entry in found]
    assert len(set(names)) == len(names) == 10  # a layer's 6, pooler, classifier, words, positions
    assert "/words/Gather" in names
    changes = [entry["change"] for entry in found]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0
    assert all(entry["bytes"] > 0 for entry in found)


def test_named_operators_stay_in_float32(own) -> None:
    keeping(own, "/classifier/*", "*query*")
    graph = onnx.load(own[1].read("quantize", "student", "model.onnx")).graph
    kept = {node.name for node in graph.node if node.op_type == "MatMul"}
    assert {"/layers.0/query/MatMul", "/classifier/Gemm_MatMul"} <= kept
    student = certified(own[1])["student"]
    assert len(student["float_operators"]) == 2
    assert student["float_matrix_products"] == 0
    assert student["large_float_weights"] == []


def test_a_name_that_no_model_has_is_an_error(own) -> None:
    with pytest.raises(ParameterError, match=r"'/layers\.9/\*' fits no operator"):
        keeping(own, "/layers.9/*")


def test_where_int8_changes_too_much_the_most_sensitive_operators_stay_in_float32(
    quantized, source: Path, tmp_path: Path
) -> None:
    params, _ = quantized
    task = Task.from_settings(params.product, params.prepare)
    tokenizer = source.with_name("tokenizer.json")
    texts = tiny_models.texts(40, seed=3)

    def answer(model: Path) -> np.ndarray:
        return TextModel(model, tokenizer, task=task, threads=1).scores(texts)

    def agree(first: np.ndarray, second: np.ndarray) -> float:
        return 1 - float(np.abs(first - second).mean())

    float32 = answer(source)
    ranked = sensitivities(source, answer, float32, params=PARAMS)
    quantize_int8(source, tmp_path / "whole.onnx", params=PARAMS)
    whole = agree(float32, answer(tmp_path / "whole.onnx"))

    def within(least: float) -> list[str]:
        kept, int8 = quantize_within(
            source,
            tmp_path / "model.onnx",
            answer=answer,
            agree=agree,
            float32=float32,
            params=PARAMS.model_copy(update={"min_agreement": least}),
            ranked=ranked,
        )
        assert agree(float32, int8) >= least
        assert inspect(tmp_path / "model.onnx", kept).float_matrix_products == 0
        return [one.name for one in kept]

    assert within(whole) == []
    kept = within(whole + 0.2 * (1 - whole))
    assert kept == [one.operator.name for one in ranked][: len(kept)]
    assert kept
    with pytest.raises(ArtifactError, match="agrees with float32 by"):
        within(1.0)


def test_two_runs_give_the_same_bytes(quantized) -> None:
    params, paths = quantized
    before = sha256_tree(paths.output("quantize"))
    quantize.run(params, at(paths, "quantize"))
    assert sha256_tree(paths.output("quantize")) == before


def test_reduced_range_keeps_weights_within_seven_bits(quantized) -> None:
    weights = int8_matrices(quantized[1].read("quantize", "student", "model.onnx"))
    assert weights
    assert all(abs(weight.astype(int)).max() <= 64 for weight in weights)


def test_weights_that_are_zero_stay_zero_and_cost_little_in_a_compressed_file(
    source: Path, tmp_path: Path
) -> None:
    model, random = onnx.load(source), np.random.default_rng(0)
    quantize_int8(source, tmp_path / "whole.onnx", params=PARAMS)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:
            cut = values * (random.random(values.shape) < 0.3)
            tensor.CopyFrom(onnx.numpy_helper.from_array(cut.astype(np.float32), tensor.name))
    onnx.save(model, tmp_path / "cut.onnx")
    quantize_int8(tmp_path / "cut.onnx", tmp_path / "cut_int8.onnx", params=PARAMS)
    assert all((matrix == 0).mean() > 0.6 for matrix in int8_matrices(tmp_path / "cut_int8.onnx"))
    assert zipped_bytes(tmp_path / "cut_int8.onnx") < 0.8 * zipped_bytes(tmp_path / "whole.onnx")


def test_embeddings_stay_in_float_where_asked(source: Path, tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"embeddings": False})
    quantize_int8(source, tmp_path / "model.onnx", params=params)
    structure = inspect(tmp_path / "model.onnx")
    assert structure.quantized_embeddings == 0
    assert structure.large_float_weights
    require_quantized("student", inspect(source), structure, params=params)


def test_a_graph_in_which_nothing_was_quantized_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "y"], ["z"])]  # no constant: nothing to store as int8
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", "rows"]) for name in "xyz"
    ]
    graph = helper.make_graph(nodes, "computed", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "model.onnx")
    quantize_int8(tmp_path / "model.onnx", tmp_path / "int8.onnx", params=PARAMS)
    before, after = (inspect(tmp_path / name) for name in ("model.onnx", "int8.onnx"))
    with pytest.raises(ArtifactError, match="no integer matrix product"):
        require_quantized("computed", before, after, params=PARAMS)


def test_the_float_model_itself_is_refused_as_int8(source: Path) -> None:
    structure = inspect(source)
    with pytest.raises(ArtifactError, match="float32 matrix products left"):
        require_quantized("student", structure, structure, params=PARAMS)
