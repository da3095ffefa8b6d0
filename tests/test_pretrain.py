"""pretrain: a language model that predicts held-out text better than it did before."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertModel

from pipeline import pretrain
from pipeline.core.errors import ArtifactError
from tests.support.trained_workspace import run_in, trained_workspace, untrained_workspace

STILL = "pretrain.learning_rate=1e-12"  # so small that no weight moves


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


@pytest.mark.parametrize("start", ["random", "checkpoint"])
def test_training_lowers_the_held_out_loss(workspace: Path, start: str) -> None:
    begin = f"pretrain.start={start}"
    untrained, _ = run_in(workspace, "pretrain", pretrain.run, begin, STILL)
    trained, paths = run_in(
        workspace, "pretrain", pretrain.run, begin, "pretrain.learning_rate=3e-3"
    )
    assert trained["heldout_loss"] < untrained["heldout_loss"] - 0.3
    assert trained["heldout_perplexity"] == pytest.approx(np.exp(trained["heldout_loss"]))
    with (paths.out / "curve.csv").open() as stream:
        points = list(csv.DictReader(stream))
    assert list(points[0]) == ["step", "loss", "learning_rate", "validation_loss"]
    assert float(points[-1]["validation_loss"]) == pytest.approx(trained["heldout_loss"])
    assert float(points[-1]["loss"]) < float(points[0]["loss"])


def test_a_start_from_the_checkpoint_takes_its_layers_and_a_random_one_does_not(
    workspace: Path,
) -> None:
    source = BertModel.from_pretrained(workspace / "checkpoint").encoder.layer[0].state_dict()
    for start, same in (("checkpoint", True), ("random", False)):
        begin = f"pretrain.start={start}"
        _, paths = run_in(workspace, "pretrain", pretrain.run, begin, STILL, "pretrain.epochs=1")
        saved = AutoModelForMaskedLM.from_pretrained(paths.out / "model")
        taken = saved.bert.encoder.layer[0].state_dict()
        name = "attention.self.query.weight"
        assert torch.allclose(taken[name], source[name], atol=1e-7) is same


def test_the_saved_model_has_the_students_shape_and_tokenizer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = trained_workspace(tmp_path_factory) / "artifacts/pretrain/model"
    model, tokenizer = (
        AutoModelForMaskedLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    assert model.config.num_hidden_layers == 1
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.tokenize("the scene") == ["the", "scene"]


def test_a_checkpoint_of_another_width_is_refused_before_training(workspace: Path) -> None:
    with pytest.raises(ArtifactError, match="'hidden_size': 32"):
        run_in(workspace, "pretrain", pretrain.run, "pretrain.hidden_size=16")
    assert not (workspace / "artifacts/pretrain/model").exists()


def test_rows_are_limited_on_request(workspace: Path) -> None:
    limits = ["pretrain.max_sequences=5", "pretrain.epochs=1"]
    metrics, _ = run_in(workspace, "pretrain", pretrain.run, *limits)
    assert metrics["sequences"] == 5
