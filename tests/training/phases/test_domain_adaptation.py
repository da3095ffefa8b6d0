"""A checkpoint continues its pretraining on the product's domain."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from pipeline.core.errors import ArtifactError, DataError
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training import loop
from pipeline.training.labelled_rows import read_split
from pipeline.training.objectives.masked_lm import MaskedLanguageModelling
from pipeline.training.phases.domain_adaptation import DomainAdaptation
from tests.support.trained_workspace import changed, untrained_workspace

LABELS = ["negative", "positive"]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


def adaptation(
    workspace: Path, *changes: str, own: int | None = None, tokenizer: Any = None
) -> Any:
    """The phase over the first `own` training rows, all if None; without sentences, None."""
    prepare = workspace / "artifacts/prepare"
    return DomainAdaptation.read(
        changed(workspace, *changes),
        checkpoint=workspace / "checkpoint",
        tokenizer=tokenizer or load_tokenizer(prepare / "teacher_tokenizer"),
        own=read_split(prepare / "records.parquet", "train").texts[:own],
        sentences=prepare / "sentences.parquet",
        folder=workspace / "kept",
    )


def encoder_of(model: Any) -> dict[str, torch.Tensor]:
    """The weights that are adapted."""
    found: dict[str, torch.Tensor] = model.base_model.encoder.state_dict()
    return found


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_hidden_words_are_guessed_better_and_better(workspace: Path) -> None:
    phase = adaptation(workspace, "finetune.adapt.max_sentences=200", "finetune.adapt.epochs=12")
    phase.apply(load_classifier(workspace / "checkpoint", labels=LABELS))
    with (workspace / "kept/adapt.csv").open() as stream:
        losses = [float(point["loss"]) for point in csv.DictReader(stream)]
    assert losses[-1] < losses[0] - 0.5


def test_one_training_serves_every_classifier_and_draws_nothing(workspace: Path) -> None:
    """The first classifier gets the result of training, the next one loads it from disk."""
    phase = adaptation(workspace, "finetune.adapt.max_sentences=200")
    plain, first, second = (
        load_classifier(workspace / "checkpoint", labels=LABELS) for _ in range(3)
    )
    heads = [model.classifier.weight.clone() for model in (first, second)]
    state = torch.get_rng_state()
    for model in (first, second):
        phase.apply(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(*heads)
    for model, head in zip((first, second), heads, strict=True):
        assert torch.equal(model.classifier.weight, head)
    assert equal(encoder_of(second), encoder_of(first))
    assert not equal(encoder_of(first), encoder_of(plain))
    phase.phase.clear()
    assert not list((workspace / "kept").rglob("*.*"))


def test_a_killed_adaptation_goes_on_to_the_weights_of_an_unbroken_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("finetune.adapt.max_sentences=200", "finetune.adapt.epochs=2")
    models = [load_classifier(workspace / "checkpoint", labels=LABELS) for _ in range(2)]
    phase = adaptation(workspace, *asked)
    phase.apply(models[0])
    phase.phase.clear()
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(MaskedLanguageModelling, "loss", failing_after(3))
        with pytest.raises(KeyboardInterrupt):
            phase.apply(load_classifier(workspace / "checkpoint", labels=LABELS))
    phase.apply(models[1])
    assert equal(encoder_of(models[1]), encoder_of(models[0]))


def failing_after(steps: int) -> Any:
    """The loss, interrupted after `steps` calls."""
    left, loss = iter(range(steps)), MaskedLanguageModelling.loss

    def interrupted(*arguments: Any) -> torch.Tensor:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return loss(*arguments)

    return interrupted


def test_texts_are_neither_cut_nor_filled_up(workspace: Path) -> None:
    """The tokenizer's own padding and truncation, set for a classifier, do not matter."""
    few = adaptation(workspace, "finetune.adapt.max_sentences=1")
    backend = few.tokenizer.backend_tokenizer
    backend.enable_padding(length=64)
    backend.enable_truncation(3)
    again = adaptation(workspace, tokenizer=few.tokenizer)
    assert np.array_equal(again.packed.stream, few.packed.stream)
    assert backend.padding["length"] == 64


def test_a_tokenizer_of_another_family_is_refused(workspace: Path) -> None:
    tokenizer = load_tokenizer(workspace / "artifacts/prepare/teacher_tokenizer")
    tokenizer.sep_token = "film"
    with pytest.raises(ArtifactError, match=r"adapt with a checkpoint of the family bert"):
        adaptation(workspace, "finetune.adapt.max_sentences=200", tokenizer=tokenizer)


def test_a_tokenizer_without_special_tokens_is_refused_by_name(workspace: Path) -> None:
    whole = load_tokenizer(workspace / "artifacts/prepare/teacher_tokenizer").backend_tokenizer
    bare = PreTrainedTokenizerFast(tokenizer_object=whole)
    with pytest.raises(ArtifactError, match="without cls_token, sep_token, mask_token"):
        adaptation(workspace, "finetune.adapt.max_sentences=200", tokenizer=bare)


def test_nothing_is_done_unless_asked_for(workspace: Path) -> None:
    assert adaptation(workspace) is None


def test_too_little_text_is_refused(workspace: Path) -> None:
    with pytest.raises(DataError, match=r"tokens to adapt the teacher by") as caught:
        adaptation(workspace, "finetune.adapt.max_sentences=1", own=0)
    assert "finetune.adapt.max_sentences" in caught.value.next_step
