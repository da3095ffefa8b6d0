"""A checkpoint goes on with its own pretraining on the product's domain."""

import csv
from pathlib import Path

import pytest
import torch

from pipeline.core.errors import DataError
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training.adaptation import Adaptation
from pipeline.training.splits import read_split
from tests.support.trained_workspace import changed, untrained_workspace

LABELS = ["negative", "positive"]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


def adaptation(workspace: Path, *changes: str, own: int | None = None) -> Adaptation | None:
    """Over the first `own` training rows, all if None."""
    prepare = workspace / "artifacts/prepare"
    return Adaptation.of(
        changed(workspace, *changes),
        workspace / "checkpoint",
        load_tokenizer(prepare / "teacher_tokenizer"),
        own=read_split(prepare / "records.parquet", "train").texts[:own],
        sentences=prepare / "sentences.parquet",
        folder=workspace / "kept",
    )


def test_hidden_words_are_guessed_better_and_better(workspace: Path) -> None:
    lesson = adaptation(workspace, "finetune.adapt.max_sentences=200", "finetune.adapt.epochs=12")
    assert lesson is not None
    lesson.teach(load_classifier(workspace / "checkpoint", labels=LABELS))
    with (workspace / "kept/adapt.csv").open() as stream:
        losses = [float(point["loss"]) for point in csv.DictReader(stream)]
    assert losses[-1] < losses[0] - 0.5


def test_one_training_serves_every_classifier_and_draws_nothing(workspace: Path) -> None:
    """What one classifier is given by training, the next is given from the disk."""
    lesson = adaptation(workspace, "finetune.adapt.max_sentences=200")
    assert lesson is not None
    plain, first, second = (
        load_classifier(workspace / "checkpoint", labels=LABELS) for _ in range(3)
    )
    state = torch.get_rng_state()
    for model in (first, second):
        lesson.teach(model)
    assert torch.equal(torch.get_rng_state(), state)
    adapted = first.base_model.encoder.state_dict()
    for name, tensor in second.base_model.encoder.state_dict().items():
        assert torch.equal(tensor, adapted[name]), name
    before = plain.base_model.encoder.state_dict()
    assert any(not torch.equal(tensor, before[name]) for name, tensor in adapted.items())
    lesson.clear()
    assert not list((workspace / "kept").rglob("*.*"))


def test_nothing_is_done_unless_asked_for(workspace: Path) -> None:
    assert adaptation(workspace) is None


def test_too_little_text_is_refused(workspace: Path) -> None:
    with pytest.raises(DataError, match=r"tokens to adapt the teacher by") as caught:
        adaptation(workspace, "finetune.adapt.max_sentences=1", own=0)
    assert "finetune.adapt.max_sentences" in caught.value.next_step
