"""An encoder learns to read by a tokenizer that is not its own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertForMaskedLM, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.models.new_vocabulary import read_by, replace_vocabulary, require_replaceable
from pipeline.models.student_start import pieces_of_tokens
from tests.support import tiny_models
from tests.support.trained_workspace import changed, run_in, runs, untrained_workspace

LABELS = ["negative", "positive"]
STUDENT = ["prepare.teacher_tokenizer=student", "prepare.tokenizer=wordpiece"]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = untrained_workspace(tmp_path_factory)
    tiny_models.write_tokenizer(root / "checkpoint")
    return root


def tokenizers_of(workspace: Path) -> tuple[PreTrainedTokenizerBase, PreTrainedTokenizerBase]:
    """The new tokenizer and that of the checkpoint."""
    student = load_tokenizer(workspace / "artifacts/prepare/student_tokenizer")
    return student, load_tokenizer(workspace / "checkpoint")


def test_each_token_begins_as_the_mean_of_its_former_pieces(workspace: Path) -> None:
    tokenizer, former = tokenizers_of(workspace)
    model: Any = load_classifier(workspace / "checkpoint", labels=LABELS)
    words = model.get_input_embeddings().weight.detach().clone()
    layers = {n: t.clone() for n, t in model.base_model.encoder.state_dict().items()}
    replace_vocabulary(model, tokenizer=tokenizer, former=former)
    table = model.get_input_embeddings().weight
    assert len(table) == model.config.vocab_size == len(tokenizer) != len(former)
    for number, pieces in pieces_of_tokens(tokenizer, former).items():
        assert torch.allclose(table[number], words[pieces].mean(dim=0))
    for name, tensor in model.base_model.encoder.state_dict().items():
        assert torch.equal(tensor, layers[name])
    texts = tokenizer(["the film is good", "bad"], padding=True, return_tensors="pt")
    texts.pop("token_type_ids", None)
    assert model(**texts).logits.shape == (2, 2)


def test_the_guesses_of_a_language_model_go_with_its_embeddings(workspace: Path) -> None:
    tokenizer, former = tokenizers_of(workspace)
    model: Any = BertForMaskedLM.from_pretrained(workspace / "checkpoint")
    replace_vocabulary(model, tokenizer=tokenizer, former=former)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert len(model.get_output_embeddings().bias) == len(tokenizer)


def test_a_checkpoint_with_its_own_tokenizer_stays_as_it_is(workspace: Path) -> None:
    tokenizer, _ = tokenizers_of(workspace)
    model: Any = load_classifier(workspace / "checkpoint", labels=LABELS)
    words = model.get_input_embeddings().weight
    prepare = changed(workspace).prepare
    read_by(model, tokenizer, checkpoint=workspace / "checkpoint", prepare=prepare)
    assert model.get_input_embeddings().weight is words


def test_families_that_count_positions_otherwise_are_refused_before_training() -> None:
    require_replaceable("bert", of="checkpoint x")
    for family in ("roberta", "modelyard_bilm"):
        with pytest.raises(ArtifactError, match=family) as caught:
            require_replaceable(family, of="checkpoint x")
        assert "teacher_tokenizer: checkpoint" in caught.value.next_step


def test_a_teacher_learns_by_the_students_tokenizer_and_hands_on_its_words(workspace: Path) -> None:
    prepare = workspace / "artifacts/prepare"
    student = load_tokenizer(prepare / "student_tokenizer")
    student.save_pretrained(prepare / "teacher_tokenizer")
    changes = [*STUDENT, "finetune.adapt.max_sentences=50"]
    changes += [
        f"prepare.checkpoint.path={workspace / 'checkpoint'}"
    ]  # the copy's, with its tokenizer
    for stage, run in runs("pretrain", "finetune", "transfer", "distill").items():
        metrics, paths = run_in(workspace, stage, run, *changes)
        if stage == "finetune":
            assert metrics["validation_accuracy"] > 0.9
            teacher = load_classifier(paths.out / "model", labels=LABELS)
            assert teacher.config.vocab_size == len(student)
    assert metrics["validation_accuracy"] > 0.9
