"""The graph of a BERT classifier: the same answers, with constants precomputed."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from pipeline.compression.onnx_export import (
    export_onnx,
    largest_differences,
    onnx_runner,
    parity_cases,
    torch_runner,
)
from pipeline.runtime.session import open_session
from tests.support import tiny_models

ROWS = [[2, 40, 3], [2, 41, 42, 43, 3]]
MAX_LENGTH = 16


@pytest.mark.parametrize("segments", [None, [[0, 0, 1], [0, 0, 0, 1, 1]]])
def test_answers_are_those_of_torch_at_every_length_and_beside_padding(
    tmp_path: Path, segments: list[list[int]] | None
) -> None:
    model = tiny_models.write_model(tmp_path, seed=1, layers=2)
    told = segments is not None
    export_onnx(model, tmp_path / "model.onnx", opset=17, segments=told, max_length=MAX_LENGTH)
    cases = parity_cases(
        ROWS, vocabulary_size=60, max_length=MAX_LENGTH, pad_token_id=0, seed=0, segments=segments
    )
    candidate = onnx_runner(open_session(tmp_path / "model.onnx", threads=1))
    differences = largest_differences(torch_runner(model), candidate, cases)
    assert max(differences.values()) < 1e-5


def test_the_graph_makes_no_masks_and_keeps_no_position_that_is_not_reached(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path, seed=1, layers=2, max_length=24)
    export_onnx(model, tmp_path / "model.onnx", opset=17, max_length=MAX_LENGTH)
    graph = onnx.load(tmp_path / "model.onnx").graph
    built = {"Range", "GatherElements", "Expand", "Where", "GreaterOrEqual", "And"}
    assert built & {node.op_type for node in graph.node} == set()
    hidden = model.config.hidden_size
    shapes = [tuple(tensor.dims) for tensor in graph.initializer]
    assert (MAX_LENGTH, hidden) in shapes
    assert (24, hidden) not in shapes


def test_the_segment_of_a_single_text_is_not_forgotten(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path, seed=1, layers=2)
    export_onnx(model, tmp_path / "before.onnx", opset=17)
    model.bert.embeddings.token_type_embeddings.weight.data[0] *= 50.0
    export_onnx(model, tmp_path / "after.onnx", opset=17)
    case = parity_cases(ROWS, vocabulary_size=60, max_length=MAX_LENGTH, pad_token_id=0, seed=0)
    before, after = (
        onnx_runner(open_session(tmp_path / f"{name}.onnx", threads=1))(case["longest"])
        for name in ("before", "after")
    )
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, torch_runner(model)(case["longest"]), atol=1e-5)
