"""finetune: a teacher that beats the baseline, the same each time, even after a kill."""

import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from transformers import AutoModelForSequenceClassification, ViTConfig, ViTModel

from pipeline import finetune
from pipeline.core.errors import ArtifactError, TrainingError
from pipeline.core.files import sha256_file
from tests.support.killed_stage import python, run_killed
from tests.support.trained_workspace import (
    run_in,
    trained_workspace,
    untrained_workspace,
    write_baseline,
)

WEIGHTS = "artifacts/finetune/model/model.safetensors"


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


def test_the_teacher_learns_more_than_the_baseline_knows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    metrics, paths = run_in(untrained_workspace(tmp_path_factory), "finetune", finetune.run)
    assert metrics["validation_accuracy"] > 0.95
    assert metrics["baseline_validation_quality"] == pytest.approx(0.6, abs=0.02)
    model = AutoModelForSequenceClassification.from_pretrained(paths.out / "model")
    assert model.config.id2label == {0: "negative", 1: "positive"}
    header = (paths.out / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,learning_rate,validation_quality"


def test_a_teacher_no_better_than_the_baseline_is_refused(workspace: Path) -> None:
    rows = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    write_baseline(workspace, rows, right_share=1.0)
    with pytest.raises(TrainingError, match=r"more than the baseline-nblr's 1\.000"):
        run_in(workspace, "finetune", finetune.run, "finetune.epochs=1")
    assert not (workspace / WEIGHTS).exists()


def test_a_checkpoint_that_classifies_no_text_is_refused_by_name(
    workspace: Path, tmp_path: Path
) -> None:
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16
    )
    ViTModel(config).save_pretrained(tmp_path / "images")
    change = f"prepare.checkpoint.path={tmp_path / 'images'}"
    with pytest.raises(ArtifactError, match="an encoder checkpoint") as caught:
        run_in(workspace, "finetune", finetune.run, change)
    assert str(tmp_path / "images") in caught.value.got
    assert caught.value.next_step == "correct prepare.checkpoint in params.yaml"


def test_two_runs_leave_the_same_bytes(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = trained_workspace(tmp_path_factory)
    run_in(workspace, "finetune", finetune.run)
    for name in (WEIGHTS, "artifacts/finetune/curve.csv"):
        assert sha256_file(workspace / name) == sha256_file(first / name)


def test_another_seed_leaves_other_weights(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = trained_workspace(tmp_path_factory)
    run_in(workspace, "finetune", finetune.run, "compute.seed=2")
    assert sha256_file(workspace / WEIGHTS) != sha256_file(first / WEIGHTS)


def test_a_killed_stage_run_again_leaves_the_bytes_of_an_unbroken_run(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = trained_workspace(tmp_path_factory)
    killed = run_killed(workspace, "finetune", step=17)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (workspace / WEIGHTS).exists()
    assert not (workspace / "artifacts/finetune/metrics.json").exists()
    again = python(workspace, "-m", "pipeline.finetune")
    assert again.returncode == 0, again.stderr
    assert "resumed at step 17" in again.stdout
    for name in (WEIGHTS, "artifacts/finetune/curve.csv"):
        assert sha256_file(workspace / name) == sha256_file(whole / name)
    assert not list((workspace / ".modelyard").rglob("*.safetensors"))
