"""prune: half the feed-forward units, and a model that transformers loads and that still answers."""

import csv
from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForSequenceClassification

from pipeline import prune
from pipeline.core.errors import ArtifactError
from pipeline.core.stage import Metrics
from pipeline.models.encoder import parameter_count
from tests.support.trained_workspace import (
    FEED_FORWARD_SIZE,
    HIDDEN_SIZE,
    run_in,
    trained_workspace,
)


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def test_half_the_units_go_and_the_model_loads_and_answers(workspace: Path) -> None:
    metrics, paths = run_in(workspace, "prune", prune.run, "prune.keep_share=0.5")
    half = FEED_FORWARD_SIZE // 2
    assert metrics["feed_forward_size"] == half
    assert metrics["parameters_removed"] == half * (2 * HIDDEN_SIZE + 1)  # of the one layer
    loaded = AutoModel.from_pretrained(paths.out / "model")
    assert loaded.config.intermediate_size == half
    assert loaded.encoder.layer[0].intermediate.dense.weight.shape == (half, HIDDEN_SIZE)
    whole = AutoModelForSequenceClassification.from_pretrained(paths.out / "model")
    assert parameter_count(whole) == metrics["parameters"]
    assert metrics["validation_accuracy"] > 0.9


def test_layers_and_heads_go_too_and_the_model_is_a_plain_bert(workspace: Path) -> None:
    changes = ("prune.keep_heads=0.5", "prune.layers=1", "prune.keep_share=1.0")
    metrics, paths = run_in(workspace, "prune", prune.run, *changes)
    assert metrics["layers"] == 1
    assert metrics["heads"] == 1
    assert metrics["parameters_removed"] > 0
    loaded = AutoModelForSequenceClassification.from_pretrained(paths.out / "model")
    assert loaded.config.kept_heads == 1
    assert loaded.config.num_attention_heads == 2
    assert metrics["validation_accuracy"] > 0.9


def test_dynamic_surgery_cuts_weights_and_keeps_the_shape(workspace: Path) -> None:
    changes = (
        "prune.method=dynamic",
        "prune.keep_share=0.4",
        "prune.epochs=3",
        "prune.learning_rate=0.01",
    )
    metrics, paths = run_in(workspace, "prune", prune.run, *changes)
    assert metrics["cut_share"] >= 0.5  # biases and small matrices stay
    assert metrics["weights_spliced"] > 0
    assert metrics["parameters_removed"] == 0
    loaded = AutoModelForSequenceClassification.from_pretrained(paths.out / "model")
    zeros = sum(int((p == 0).sum()) for p in loaded.parameters())
    assert zeros >= metrics["weights_cut"]
    assert metrics["validation_accuracy"] > 0.9


@pytest.mark.parametrize(
    "method", [(), ("prune.method=dynamic", "prune.epochs=3", "prune.learning_rate=0.01")]
)
def test_recovery_learns_what_the_teacher_read_too_and_saves_no_map(
    workspace: Path, method: tuple[str, ...]
) -> None:
    def recovered(weight: float) -> tuple[Metrics, Path, float]:
        changes = (*method, f"prune.feature_weight={weight}")
        metrics, paths = run_in(workspace, "prune", prune.run, *changes)
        with (paths.out / "curve.csv").open() as stream:
            return metrics, paths.out / "model", float(next(csv.DictReader(stream))["loss"])

    _, _, of_answers = recovered(0.0)
    metrics, model, of_both = recovered(1.0)
    assert of_both > 1.5 * of_answers
    assert metrics["validation_accuracy"] > 0.9
    assert not [name for name in load_file(model / "model.safetensors") if "maps" in name]


def test_the_curve_has_the_columns_that_are_drawn(workspace: Path) -> None:
    metrics, paths = run_in(workspace, "prune", prune.run)
    with (paths.out / "curve.csv").open() as stream:
        points = list(csv.DictReader(stream))
    assert list(points[0]) == ["step", "loss", "learning_rate", "validation_quality"]
    steps = [int(point["step"]) for point in points]
    assert steps == sorted(set(steps))
    assert float(points[-1]["validation_quality"]) == metrics["validation_quality"]


def test_recovery_reads_no_more_sentences_than_asked_for(workspace: Path) -> None:
    def steps(limit: int) -> int:
        _, paths = run_in(workspace, "prune", prune.run, f"prune.max_sentences={limit}")
        return int((paths.out / "curve.csv").read_text().splitlines()[-1].split(",")[0])

    assert steps(8) == steps(16) - 1  # a batch holds eight rows


def test_pruning_everything_away_is_refused(workspace: Path) -> None:
    with pytest.raises(ArtifactError, match="at least one unit"):
        run_in(workspace, "prune", prune.run, "prune.keep_share=0.001")
    assert not (workspace / "artifacts/prune/model").exists()
