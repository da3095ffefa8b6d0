"""The bidirectional language model's ONNX answers as torch; idle cells are pruned first."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.compression.cells import cell_importance, narrow_cells
from pipeline.compression.int8 import inspect, quantize_int8, require_quantized
from pipeline.compression.onnx_export import (
    export_onnx,
    largest_differences,
    onnx_runner,
    parity_cases,
    torch_runner,
)
from pipeline.core.errors import ArtifactError
from pipeline.core.sections import QuantizeParams
from pipeline.models.lstm import LSTMLayer
from pipeline.runtime.session import open_session
from tests.support.tiny_bilm import CELLS, VOCABULARY, WIDTH, tiny_bilm_classifier
from tests.support.tiny_models import classifier_logits as logits
from tests.support.tiny_models import random_objective

LONGEST = 32


@pytest.mark.parametrize("kind", ["subword", "characters"])
def test_onnx_equals_torch_at_every_length_and_twice_in_one_process(
    tmp_path: Path, kind: str
) -> None:
    model = tiny_bilm_classifier(input=kind, initializer_range=0.2)
    random = np.random.default_rng(1)
    rows = [random.integers(5, VOCABULARY, length).tolist() for length in (1, 7, LONGEST)]
    cases = parity_cases(
        rows, vocabulary_size=VOCABULARY, max_length=LONGEST, pad_token_id=0, seed=1
    )
    answers = torch_runner(model)
    for name in ("first.onnx", "second.onnx"):
        export_onnx(model, tmp_path / name, opset=17)
        run = onnx_runner(open_session(tmp_path / name, threads=1))
        assert max(largest_differences(answers, run, cases).values()) <= 1e-4
    assert (tmp_path / "first.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()
    short, long = (answers(cases[f"real text {number} alone"]) for number in (1, 2))
    assert np.abs(long - short).max() > 1e-2  # it tells texts apart, so parity means something


@pytest.mark.parametrize("cells", [64, 256])
def test_int8_takes_the_lstms_and_says_so(tmp_path: Path, cells: int) -> None:
    params = QuantizeParams(
        preset="portable", per_channel=True, embeddings=True, float_operators=[], min_agreement=0.0
    )
    model = tiny_bilm_classifier(hidden_size=32, intermediate_size=cells)
    export_onnx(model, tmp_path / "model.onnx", opset=17)
    quantize_int8(tmp_path / "model.onnx", tmp_path / "int8.onnx", params=params)
    before, after = inspect(tmp_path / "model.onnx"), inspect(tmp_path / "int8.onnx")
    require_quantized("student", before, after, params=params)
    assert after.operators["DynamicQuantizeLSTM"] == 4
    assert before.large_float_weights
    assert after.large_float_weights == []


def test_cells_without_effect_are_the_least_important_and_removing_them_changes_nothing() -> None:
    model = tiny_bilm_classifier()
    silent = list(range(0, CELLS, 2))
    layers = [module for module in model.modules() if isinstance(module, LSTMLayer)]
    for layer in layers:
        layer.projection.data[:, :, silent] = 0
    before = logits(model)
    importance = cell_importance(model, random_objective(), [np.arange(4), np.arange(4, 8)])
    assert [scores.shape for scores in importance] == [(2, CELLS)] * 2
    assert narrow_cells(model, importance, keep_share=0.5) == CELLS // 2
    assert torch.allclose(logits(model), before, atol=1e-6)
    assert model.config.intermediate_size == CELLS // 2
    assert layers[0].input_weight.shape == (2, 4 * CELLS // 2, WIDTH)


def test_a_cells_importance_is_the_change_of_the_loss_that_its_gradient_foretells() -> None:
    model, objective, rows = tiny_bilm_classifier(), random_objective(), np.arange(8)
    [first, *_] = cell_importance(model, objective, [rows])
    layer = next(module for module in model.modules() if isinstance(module, LSTMLayer))
    step = 1e-3
    with torch.inference_mode():
        before = objective.loss(model, rows, torch.device("cpu"))
        layer.projection[0, :, 3] *= 1 - step
        after = objective.loss(model, rows, torch.device("cpu"))
    assert abs(float(after - before)) / step == pytest.approx(float(first[0, 3]), rel=0.05)


def test_removing_every_cell_is_refused() -> None:
    model = tiny_bilm_classifier()
    importance = [torch.ones(2, CELLS)] * 2
    with pytest.raises(ArtifactError, match="at least one cell"):
        narrow_cells(model, importance, keep_share=0.01)
