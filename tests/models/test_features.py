"""A student that also learns the inputs of the teacher's last layer comes nearer to them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import BertForSequenceClassification

from pipeline import distill, transfer
from pipeline.compression.distillation import Distillation, Features, feature_maps
from pipeline.core.errors import ArtifactError, ParameterError
from pipeline.models.features import layer_means
from pipeline.training.token_rows import TokenRows
from tests.support.tiny_models import first_token_classifier
from tests.support.trained_workspace import run_in, trained_workspace


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def test_transfer_leaves_what_the_teachers_last_layer_read(workspace: Path) -> None:
    folder = workspace / "artifacts/transfer"
    [features], logits = (
        np.load(folder / "features.npy").swapaxes(0, 1),
        np.load(folder / "logits.npy"),
    )
    assert features.dtype == np.float16
    assert len(features) == len(logits)
    design = np.column_stack([features.astype(np.float64), np.ones(len(features))])
    error = logits - design @ np.linalg.lstsq(design, logits, rcond=None)[0]
    assert np.abs(error).max() < 0.05  # the logits are a linear function of them


def test_the_map_to_the_teachers_features_does_not_stay(workspace: Path) -> None:
    plain, _ = run_in(workspace, "distill", distill.run, "distill.feature_weight=0.0")
    trained, paths = run_in(workspace, "distill", distill.run, "distill.feature_weight=1.0")
    assert trained["parameters"] == plain["parameters"]
    with safe_open(paths.out / "model/model.safetensors", framework="np") as weights:
        assert not [name for name in weights.keys() if "map" in name]  # noqa: SIM118
    assert trained["validation_accuracy"] > 0.9


def test_mean_states_do_not_ask_how_a_batch_is_padded() -> None:
    model = first_token_classifier()
    ids = torch.tensor([[3, 7, 9, 0, 0], [4, 5, 6, 7, 8]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    with torch.inference_mode(), layer_means(model, [1], mask) as means:
        model(input_ids=ids, attention_mask=mask)
    alone = torch.ones(1, 3, dtype=torch.int64)
    with torch.inference_mode(), layer_means(model, [1], alone) as single:
        model(input_ids=ids[:1, :3], attention_mask=alone)
    assert means[0].shape == (2, 16)
    assert torch.allclose(means[0][0], single[0][0], atol=1e-6)
    with pytest.raises(ArtifactError, match="after layer 2 of 2"), layer_means(model, [2], mask):
        pass


def test_a_student_comes_nearer_to_the_teachers_mean_states() -> None:
    """One layer below the last on each side: the objective falls by what the maps learn."""
    rows = TokenRows([[3, 4, 5], [5, 4, 6, 7], [8, 3]], np.array([3, 4, 2]), pad_token_id=0)
    numbers, device = np.arange(3), torch.device("cpu")
    random = np.random.default_rng(0)
    values = random.normal(size=(3, 2, 8)).astype(np.float16)

    def both(weight: float) -> list[Features]:
        return [Features.of(values[:, 0], weight=0.0), Features.of(values[:, 1], weight=weight)]

    def loss(weight: float, model: BertForSequenceClassification) -> torch.Tensor:
        objective = Distillation(
            rows,
            np.zeros((3, 2), dtype=np.float32),
            targets=np.zeros((3, 1)),
            labelled=np.zeros(3, dtype=bool),
            problem="classification",
            temperature=1.0,
            hard_label_weight=0.0,
            features=both(weight),
        )
        return objective.loss(model, numbers, device)

    model = first_token_classifier()
    plain = [name for name, _ in model.named_parameters()]
    with feature_maps(model, both(0.0)):
        without = loss(0.0, model)
        before = loss(1.0, model)
        assert before > without
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(60):
            optimizer.zero_grad()
            loss(1.0, model).backward()
            optimizer.step()
        assert loss(1.0, model) < 0.2 * before
    assert [name for name, _ in model.named_parameters()] == plain


def test_the_teachers_states_are_kept_where_they_are_asked_for(workspace: Path) -> None:
    before = np.load(workspace / "artifacts/transfer/features.npy")
    run_in(workspace, "transfer", transfer.run, "transfer.hidden_layers=[1, 2]")
    features = np.load(workspace / "artifacts/transfer/features.npy")
    assert features.shape == (len(before), 3, before.shape[2])
    assert (features[:, 0] == before[:, 0]).all()
    assert not np.allclose(features[:, 1], features[:, 2], atol=0.01)
    message = r"0 layers below its last, .* 2 teacher layers"
    with pytest.raises(ParameterError, match=message) as told:
        run_in(workspace, "distill", distill.run, "distill.hidden_weight=1.0")
    assert "transfer.hidden_layers" in told.value.next_step
