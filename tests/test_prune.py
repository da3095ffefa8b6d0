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

DYNAMIC = ("prune.method=dynamic", "prune.epochs=3", "prune.learning_rate=0.01")


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def pruned(workspace: Path, *changes: str) -> tuple[Metrics, Path, list[dict[str, str]]]:
    """The metrics, the folder of the model and the points of the curve of a pruned student."""
    metrics, paths = run_in(workspace, "prune", prune.run, *changes)
    with (paths.out / "curve.csv").open() as stream:
        return metrics, paths.out / "model", list(csv.DictReader(stream))


def test_half_the_units_go_and_the_model_loads_and_answers(workspace: Path) -> None:
    metrics, model, _ = pruned(workspace, "prune.keep_share=0.5")
    half = FEED_FORWARD_SIZE // 2
    assert metrics["feed_forward_size"] == half
    assert metrics["parameters_removed"] == half * (2 * HIDDEN_SIZE + 1)  # of the one layer
    loaded = AutoModel.from_pretrained(model)
    assert loaded.config.intermediate_size == half
    assert loaded.encoder.layer[0].intermediate.dense.weight.shape == (half, HIDDEN_SIZE)
    whole = AutoModelForSequenceClassification.from_pretrained(model)
    assert parameter_count(whole) == metrics["parameters"]
    assert metrics["validation_accuracy"] > 0.9


def test_layers_and_heads_go_too_and_the_model_is_a_plain_bert(workspace: Path) -> None:
    changes = ("prune.keep_heads=0.5", "prune.layers=1", "prune.keep_share=1.0")
    metrics, model, _ = pruned(workspace, *changes)
    assert metrics["layers"] == 1
    assert metrics["heads"] == 1
    assert metrics["parameters_removed"] > 0
    loaded = AutoModelForSequenceClassification.from_pretrained(model)
    assert loaded.config.kept_heads == 1
    assert loaded.config.num_attention_heads == 2
    assert metrics["validation_accuracy"] > 0.9


def test_dynamic_surgery_cuts_weights_and_keeps_the_shape(workspace: Path) -> None:
    metrics, model, _ = pruned(workspace, *DYNAMIC, "prune.keep_share=0.4")
    assert metrics["cut_share"] >= 0.5  # biases and small matrices stay
    assert metrics["weights_spliced"] > 0
    assert metrics["parameters_removed"] == 0
    loaded = AutoModelForSequenceClassification.from_pretrained(model)
    zeros = sum(int((p == 0).sum()) for p in loaded.parameters())
    assert zeros >= metrics["weights_cut"]
    assert metrics["validation_accuracy"] > 0.9


@pytest.mark.parametrize("method", [(), DYNAMIC], ids=["structured", "dynamic"])
def test_recovery_learns_what_the_teacher_read_too_and_saves_no_map(
    workspace: Path, method: tuple[str, ...]
) -> None:
    _, _, of_answers = pruned(workspace, *method, "prune.feature_weight=0.0")
    metrics, model, of_both = pruned(workspace, *method, "prune.feature_weight=1.0")
    assert float(of_both[0]["loss"]) > 1.5 * float(of_answers[0]["loss"])
    assert metrics["validation_accuracy"] > 0.9
    assert not [name for name in load_file(model / "model.safetensors") if "maps" in name]


def test_the_curve_has_the_columns_that_are_drawn(workspace: Path) -> None:
    metrics, _, points = pruned(workspace)
    assert list(points[0]) == ["step", "loss", "learning_rate", "validation_quality"]
    steps = [int(point["step"]) for point in points]
    assert steps == sorted(set(steps))
    assert float(points[-1]["validation_quality"]) == metrics["validation_quality"]


def test_recovery_reads_no_more_sentences_than_asked_for(workspace: Path) -> None:
    steps = [
        int(pruned(workspace, f"prune.max_sentences={limit}")[2][-1]["step"]) for limit in (8, 16)
    ]
    assert steps[0] == steps[1] - 1  # a batch holds eight rows


def test_pruning_everything_away_is_refused(workspace: Path) -> None:
    with pytest.raises(ArtifactError, match="at least one unit"):
        pruned(workspace, "prune.keep_share=0.001")
    assert not (workspace / "artifacts/prune/model").exists()
