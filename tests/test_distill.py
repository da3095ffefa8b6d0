"""distill: a student that answers as the teacher does."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline import distill, pretrain
from pipeline.core.errors import ArtifactError
from pipeline.core.files import sha256_file
from pipeline.core.params import load_params
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training.predict import predict
from pipeline.training.token_rows import tokenize
from tests.support.trained_workspace import MAX_LENGTH, run_in, trained_workspace

WEIGHTS = "artifacts/distill/model/model.safetensors"
LEARNED_LITTLE = ["distill.epochs=1", "distill.learning_rate=1e-9"]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def answers(workspace: Path, stage: str) -> np.ndarray:
    """Labels that a stage's model gives to the texts of the test split."""
    records = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pylist()
    texts = [row["text"] for row in records if row["split"] == "test"]
    folder = workspace / "artifacts" / stage / "model"
    params = load_params(workspace / "build.yaml")
    rows = tokenize(load_tokenizer(folder), texts, max_length=MAX_LENGTH)
    model = load_classifier(folder, labels=params.product.labels)
    logits = predict(model, rows, compute=params.compute, batch_size=16).logits
    labels: np.ndarray = logits.argmax(axis=1)
    return labels


def test_the_student_agrees_with_the_teacher_more_than_before(workspace: Path) -> None:
    teacher = answers(workspace, "finetune")
    assert set(teacher) == {0, 1}
    untrained = np.mean(answers(workspace, "pretrain") == teacher)
    agreement = np.mean(answers(workspace, "distill") == teacher)
    assert agreement > 0.9
    assert agreement > untrained + 0.2


def test_the_student_follows_the_teacher_where_the_teacher_is_wrong(workspace: Path) -> None:
    logits = workspace / "artifacts/transfer/logits.npy"
    before = answers(workspace, "distill")
    np.save(logits, np.load(logits)[:, ::-1])
    run_in(workspace, "distill", distill.run, "distill.hard_label_weight=0.0")
    assert np.mean(answers(workspace, "distill") == before) < 0.1


def test_two_runs_leave_the_same_weights(workspace: Path) -> None:
    before = sha256_file(workspace / WEIGHTS)
    (workspace / WEIGHTS).unlink()
    metrics, paths = run_in(workspace, "distill", distill.run)
    assert sha256_file(workspace / WEIGHTS) == before
    assert metrics["validation_accuracy"] > 0.9
    header = (paths.out / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,learning_rate,validation_quality"


def test_a_student_of_the_teachers_layers_answers_as_the_teacher_before_it_learns(
    workspace: Path,
) -> None:
    """Its layers are all of the teacher's, so nothing is left to learn but another vocabulary."""
    layers = [0, 1, 2]
    changes = ["pretrain.layers=3", "pretrain.start=checkpoint"]
    run_in(workspace, "pretrain", pretrain.run, *changes)
    asked = f"distill.teacher_layers={layers}"
    run_in(workspace, "distill", distill.run, *changes, *LEARNED_LITTLE, asked)
    assert np.mean(answers(workspace, "distill") == answers(workspace, "finetune")) > 0.9
    untrained = answers(workspace, "distill")
    run_in(workspace, "distill", distill.run, *LEARNED_LITTLE, "distill.teacher_layers=null")
    assert not (answers(workspace, "distill") == untrained).all()


def test_a_layer_that_the_teacher_does_not_have_is_an_error(workspace: Path) -> None:
    with pytest.raises(ArtifactError, match="a bert of 3 layers as teacher and a bert of 1 as"):
        run_in(workspace, "distill", distill.run, "distill.teacher_layers=[9]")


def test_a_narrower_student_starts_from_the_teachers_layers_and_learns(workspace: Path) -> None:
    shape = ["pretrain.hidden_size=16", "pretrain.heads=1", "pretrain.start=checkpoint"]
    run_in(workspace, "pretrain", pretrain.run, *shape)
    agreed = {}
    for layers in ("[0]", "null"):
        start = f"distill.teacher_layers={layers}"
        run_in(workspace, "distill", distill.run, *shape, *LEARNED_LITTLE, start)
        agreed[layers] = np.mean(answers(workspace, "distill") == answers(workspace, "finetune"))
    assert agreed["[0]"] > agreed["null"] + 0.2
    trained = ("distill.epochs=4", "distill.learning_rate=2e-3", "distill.teacher_layers=[0]")
    metrics, paths = run_in(workspace, "distill", distill.run, *shape, *trained)
    student = load_classifier(paths.out / "model", labels=["negative", "positive"])
    assert student.config.hidden_size == 16
    assert metrics["validation_accuracy"] > 0.9
