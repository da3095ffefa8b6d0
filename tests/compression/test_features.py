"""A student that is also taught what the teacher's last layer read comes nearer to it."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from pipeline import distill
from tests.support.trained_workspace import run_in, trained_workspace


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def test_transfer_leaves_what_the_teachers_last_layer_read(workspace: Path) -> None:
    folder = workspace / "artifacts/transfer"
    features, logits = np.load(folder / "features.npy"), np.load(folder / "logits.npy")
    assert features.dtype == np.float16
    assert len(features) == len(logits)
    design = np.column_stack([features.astype(np.float64), np.ones(len(features))])
    error = logits - design @ np.linalg.lstsq(design, logits, rcond=None)[0]
    assert np.abs(error).max() < 0.05  # the logits are a linear function of them


def test_the_map_to_the_teachers_features_does_not_stay(workspace: Path) -> None:
    plain, _ = run_in(workspace, "distill", distill.run)
    taught, paths = run_in(workspace, "distill", distill.run, "distill.feature_weight=1.0")
    assert taught["parameters"] == plain["parameters"]
    with safe_open(paths.out / "model/model.safetensors", framework="np") as weights:
        assert not [name for name in weights.keys() if "map" in name]  # noqa: SIM118
    assert taught["validation_accuracy"] > 0.9
