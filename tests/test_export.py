"""export writes ONNX that answers as torch does, and refuses what does not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from pipeline import export
from pipeline.compression.onnx_export import (
    ParityCase,
    export_onnx,
    largest_differences,
    onnx_runner,
    parity_cases,
    require_parity,
    torch_runner,
)
from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, sha256_tree
from pipeline.runtime.session import open_session
from pipeline.training.token_rows import TokenRows
from tests.support import tiny_models
from tests.support.tiny_workspace import at, compressed_workspace

CASES = parity_cases(
    [[2, 40, 3], [2, 41, 42, 43, 3]], vocabulary_size=60, max_length=32, pad_token_id=0, seed=0
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory):
    return compressed_workspace(tmp_path_factory)


def test_every_model_is_exported_with_a_certificate_within_the_tolerance(exported) -> None:
    params, paths = exported
    certificate = read_json(paths.read("export", "certificate.json"))["models"]
    assert set(certificate) == {"teacher", "student", "pruned"}
    for entry in certificate.values():
        assert entry["passed"]
        assert entry["largest_difference"] <= params.export.tolerance
        assert {"one token", "longest", "odd batch, odd length"} <= set(entry["differences"])
        assert "padded batch against each text alone" in entry["differences"]


def test_the_graph_is_one_file_with_dynamic_batch_and_length(exported) -> None:
    _, paths = exported
    folder = paths.read("export", "student")
    assert sorted(file.name for file in folder.iterdir()) == ["model.onnx", "tokenizer.json"]
    graph = onnx.load(folder / "model.onnx").graph
    shapes = {i.name: [d.dim_param for d in i.type.tensor_type.shape.dim] for i in graph.input}
    assert shapes == {"input_ids": ["batch", "length"], "attention_mask": ["batch", "length"]}


def test_a_second_export_has_the_same_bytes(exported) -> None:
    params, paths = exported
    # The first may be of another process, in which torch has other settings.
    export.run(params, at(paths, "export"))
    before = sha256_tree(paths.output("export"))
    export.run(params, at(paths, "export"))
    assert sha256_tree(paths.output("export")) == before


def test_another_models_answers_break_parity(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path / "first", seed=1)
    other = tiny_models.write_model(tmp_path / "second", seed=2)
    export_onnx(model, tmp_path / "model.onnx", opset=17)
    candidate = onnx_runner(open_session(tmp_path / "model.onnx", threads=1))
    own = largest_differences(torch_runner(model), candidate, CASES)
    require_parity("first", own, tolerance=1e-4)
    others = largest_differences(torch_runner(other), candidate, CASES)
    with pytest.raises(ArtifactError, match="ONNX and torch differ"):
        require_parity("second", others, tolerance=1e-4)


def test_a_difference_that_is_not_a_number_breaks_parity() -> None:
    with pytest.raises(ArtifactError, match="differ by nan"):
        require_parity("model", {"one token": float("nan")}, tolerance=1e-4)


def test_a_model_that_ignores_the_mask_is_caught(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path, seed=1)
    honest, cases = torch_runner(model), CASES
    deaf = lambda case: honest(replace(case, attention_mask=np.ones_like(case.input_ids)))  # noqa: E731 - a one-line fake
    differences = largest_differences(honest, deaf, cases)
    assert isinstance(cases["one token"], ParityCase)
    assert differences["one token"] == 0.0
    assert differences["padded batch against each text alone"] > 1e-3


def test_a_tokenizer_that_cuts_words_otherwise_is_refused(exported) -> None:
    params, paths = exported
    rows = TokenRows([[2, 7, 3]], np.array([3]), 0)
    with pytest.raises(ArtifactError, match="gives ids"):
        export._require_same_tokens(
            paths.read("export", "student"), ["a dull film"], rows, params=params
        )
