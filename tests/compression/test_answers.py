"""The teacher's answers by ONNX Runtime: those of torch, features and windows included."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.compression.answers import answers
from pipeline.core.product import Compute
from pipeline.training.predict import predict
from pipeline.training.token_rows import TokenRows
from tests.support import tiny_models

COMPUTE = Compute(seed=1, threads=1, device="cpu", precision="float32")
IDS = [[2, 40, 3], [2, 41, 42, 43, 3], [2, 44, 45, 3], [2, 50, 3], [2, 51, 52, 53, 54, 55, 3]]


def rows(*, segments: bool = False, documents: list[int] | None = None) -> TokenRows:
    return TokenRows(
        IDS,
        np.array([len(ids) for ids in IDS]),
        pad_token_id=0,
        segments=[[0] * (len(ids) - 1) + [1] for ids in IDS] if segments else None,
        documents=None if documents is None else np.array(documents),
    )


@pytest.mark.parametrize("layers", [(), (1, 2)])
@pytest.mark.parametrize("given", [rows(), rows(segments=True), rows(documents=[0, 0, 1, 2, 2])])
def test_float32_answers_are_those_of_torch(
    tmp_path: Path, given: TokenRows, layers: tuple[int, ...]
) -> None:
    model = tiny_models.write_model(tmp_path, seed=1, layers=3)
    shared = {"batch_size": 2, "layers": layers}
    wanted = predict(model, given, compute=COMPUTE, **shared)
    found = answers(model, given, precision="float32", threads=1, task="transfer", **shared)
    np.testing.assert_allclose(found.logits, wanted.logits, atol=1e-5)
    np.testing.assert_allclose(found.features, wanted.features, atol=2e-3)
    assert found.features.dtype == wanted.features.dtype
    assert found.features.shape == wanted.features.shape


def test_int8_answers_are_near_those_of_float32(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path, seed=1, layers=3)
    shared = {"threads": 1, "batch_size": 2, "task": "transfer"}
    exact = answers(model, rows(), precision="float32", **shared).logits
    quick = answers(model, rows(), precision="int8", **shared).logits
    assert np.abs(quick - exact).max() > 0
    np.testing.assert_allclose(quick, exact, atol=0.1 * np.abs(exact).max() + 0.02)
