"""With only the tokens of its texts in the table a model learns the same, and the others come back."""

import dataclasses
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from pipeline.text.batching import epoch_batches, lengths_of
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.loop import train
from pipeline.training.objectives.gold import label_objective
from pipeline.training.token_rows import TokenRows
from tests.support.small_training import OPTIMISATION, a_training
from tests.support.tiny_bilm import tiny_bilm_classifier
from tests.support.tiny_models import tiny_classifier

PAD, UNSEEN, ASKED = 0, 39, 30
"""Tokens: of padding; of no row; of validation alone."""


def rows_of(*texts: list[int]) -> TokenRows:
    return TokenRows(list(texts), lengths_of(list(texts)), pad_token_id=PAD)


ROWS = rows_of(
    *([1, 2 + number % 9, 12 + number % 5, *[20] * (number % 3)] for number in range(64))
)
LABELS = np.arange(64) % 9 % 2
VALIDATION = rows_of([1, ASKED])


def trained(
    folder: Path, *, part: bool, weight_decay: float = 0.0
) -> BertForSequenceClassification:
    """A tiny classifier after three epochs."""
    model = tiny_classifier()
    changes = {"weight_decay": weight_decay, "learning_rate": 3e-3}
    training = dataclasses.replace(
        a_training(folder),
        optimisation=OPTIMISATION.model_copy(update=changes),
        batches=partial(epoch_batches, ROWS.lengths),
        average=0.9,
    )
    with tokens_in_use(model, ROWS, VALIDATION) if part else nullcontext():
        train(model, label_objective(ROWS, LABELS.astype(np.int64)), training)
    return model


def table(model: BertForSequenceClassification) -> torch.Tensor:
    weight: torch.Tensor = model.bert.embeddings.word_embeddings.weight
    return weight.detach()


def test_a_model_learns_what_it_learns_with_its_whole_table(tmp_path: Path) -> None:
    whole, part = trained(tmp_path / "whole", part=False), trained(tmp_path / "part", part=True)
    assert list(whole.state_dict()) == list(part.state_dict())
    for name, weight in whole.state_dict().items():
        assert torch.allclose(part.state_dict()[name], weight, atol=1e-4), name
    assert not torch.equal(table(part), table(tiny_classifier()))


def test_a_token_of_no_row_keeps_its_embedding_even_from_decay(tmp_path: Path) -> None:
    before = table(tiny_classifier())
    after = table(trained(tmp_path, part=True, weight_decay=0.5))
    assert torch.equal(after[UNSEEN], before[UNSEEN])
    assert not torch.equal(after[ASKED], before[ASKED])  # validation meets it: it decays


def test_inside_the_optimizer_sees_few_tokens_and_others_are_an_error() -> None:
    model = tiny_classifier()
    with tokens_in_use(model, ROWS, VALIDATION):
        assert len(model.get_input_embeddings().weight) == 18  # PAD, 1, 2-10, 12-16, 20, ASKED
        with torch.inference_mode():
            inside = model(input_ids=torch.tensor([[1, ASKED, PAD]])).logits
            with pytest.raises(IndexError):
                model(input_ids=torch.tensor([[UNSEEN]]))
    with torch.inference_mode():
        assert torch.equal(model(input_ids=torch.tensor([[1, ASKED, PAD]])).logits, inside)
        assert model(input_ids=torch.tensor([[UNSEEN]])).logits.shape == (1, 2)


def test_what_was_learned_before_a_failure_is_kept_and_the_table_is_whole() -> None:
    model = tiny_classifier()

    def fail() -> None:
        with tokens_in_use(model, ROWS):
            with torch.no_grad():
                model.get_input_embeddings().weight.fill_(7.0)
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert (table(model)[1] == 7).all()
    assert not (table(model)[UNSEEN] == 7).any()


def test_a_table_that_does_not_learn_and_one_of_characters_stay_as_they_are() -> None:
    frozen = tiny_classifier()
    frozen.bert.embeddings.requires_grad_(requires_grad=False)
    token = torch.tensor([[UNSEEN]])
    for model in (frozen, tiny_bilm_classifier(input="characters")):
        shapes = [(name, weight.shape) for name, weight in model.named_parameters()]
        with tokens_in_use(model, ROWS):
            assert [(name, weight.shape) for name, weight in model.named_parameters()] == shapes
            logits = model(input_ids=token, attention_mask=torch.ones_like(token)).logits
            assert logits.shape == (1, 2)
