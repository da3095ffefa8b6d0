"""Masked language modelling masks the right tokens, and a small model learns from it."""

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM

from pipeline.text.packing import PackedRows
from pipeline.training.heldout import heldout_loss, pseudo_nats
from pipeline.training.objectives.masked_lm import MaskedLanguageModelling

MASK, FIRST, ORDINARY, VOCABULARY = 4, 2, 5, 30


def an_objective(
    stream: np.ndarray, mask_share: float = 0.2, starts_word: np.ndarray | None = None
) -> MaskedLanguageModelling:
    return MaskedLanguageModelling(
        PackedRows(stream, 16),
        mask_share=mask_share,
        first_token_id=FIRST,
        mask_token_id=MASK,
        ordinary_from=ORDINARY,
        vocabulary_size=VOCABULARY,
        starts_word=starts_word,
    )


def a_model() -> BertForMaskedLM:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
        type_vocab_size=1,
    )
    return BertForMaskedLM(config)


def test_only_ordinary_tokens_are_hidden_and_about_the_share_asked_for() -> None:
    ids = torch.randint(0, VOCABULARY, (64, 128))
    inputs, hidden = an_objective(np.zeros(32, np.uint16))._hide(ids)
    assert not hidden[ids < ORDINARY].any()
    assert 0.17 < hidden[ids >= ORDINARY].float().mean() < 0.23
    assert torch.equal(inputs[~hidden], ids[~hidden])
    assert 0.7 < (inputs[hidden] == MASK).float().mean() < 0.9
    assert ((inputs >= 0) & (inputs < VOCABULARY)).all()


def test_something_is_hidden_however_small_the_share() -> None:
    ids = torch.randint(0, VOCABULARY, (1, 16))
    ids[0, 3] = ORDINARY
    _, hidden = an_objective(np.zeros(32, np.uint16), 1e-9)._hide(ids)
    assert hidden.sum() == 1
    assert not hidden[ids < ORDINARY].any()


def test_the_loss_on_masked_positions_equals_the_full_softmax_there() -> None:
    stream = np.random.default_rng(0).integers(ORDINARY, VOCABULARY, 64).astype(np.uint16)
    objective, model = an_objective(stream), a_model().eval()
    torch.manual_seed(5)
    loss = objective.loss(model, np.arange(4), torch.device("cpu"))
    torch.manual_seed(5)
    ids = torch.from_numpy(PackedRows(stream, 16).read(np.arange(4)))
    ids[:, 0] = FIRST
    inputs, hidden = objective._hide(ids)
    targets = ids.masked_fill(~hidden, -100)
    full = model(input_ids=inputs, labels=targets).loss
    assert torch.allclose(loss, full, atol=1e-5)


def test_a_small_model_learns_and_its_heldout_loss_repeats_without_a_draw() -> None:
    objective = an_objective(np.tile(np.arange(ORDINARY, ORDINARY + 8), 64).astype(np.uint16))
    model, device = a_model(), torch.device("cpu")
    state = torch.get_rng_state()
    before = heldout_loss(model, objective, device=device, rows=8)
    assert torch.equal(state, torch.get_rng_state())
    assert before == heldout_loss(model, objective, device=device, rows=8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    model.train()
    for _ in range(60):
        optimizer.zero_grad()
        objective.loss(model, np.arange(16), device).backward()
        optimizer.step()
    assert heldout_loss(model, objective, device=device, rows=8) < 0.5 * before


def test_a_word_is_hidden_whole_or_not_at_all() -> None:
    starts = np.zeros(VOCABULARY, np.bool_)
    starts[ORDINARY : ORDINARY + 8] = True
    objective = an_objective(np.zeros(32, np.uint16), 0.3, starts)
    torch.manual_seed(0)
    ids = torch.randint(0, VOCABULARY, (64, 128))
    _, hidden = objective._hide(ids)
    continues = (ids >= ORDINARY + 8)[:, 1:] & (ids >= ORDINARY)[:, :-1]
    assert (hidden[:, 1:] == hidden[:, :-1])[continues].all()
    begins = (ids[:, 1:] >= ORDINARY) & (ids[:, 1:] < ORDINARY + 8) & (ids[:, :-1] >= ORDINARY)
    assert not (hidden[:, 1:] == hidden[:, :-1])[begins].all()
    assert not hidden[ids < ORDINARY].any()
    assert 0.25 < hidden[ids >= ORDINARY].float().mean() < 0.35


def test_pseudo_perplexity_of_a_model_that_knows_nothing_is_the_size_of_its_vocabulary() -> None:
    model = a_model()
    for parameter in model.parameters():
        parameter.data.zero_()
    rows = np.random.default_rng(0).integers(0, VOCABULARY, (3, 16))
    nats = pseudo_nats(model, rows, mask_token_id=MASK, ordinary_from=ORDINARY)
    assert np.isclose(np.exp(nats), VOCABULARY)


def test_pseudo_perplexity_hides_each_token_alone() -> None:
    model = a_model()
    row = np.random.default_rng(1).integers(ORDINARY, VOCABULARY, 6)
    by_hand = []
    for place in range(6):
        asked = row.copy()
        asked[place] = MASK
        with torch.inference_mode():
            logits = model.eval()(input_ids=torch.from_numpy(asked)[None]).logits[0, place]
        by_hand.append(-logits.log_softmax(0)[row[place]].item())
    nats = pseudo_nats(model, row[None], mask_token_id=MASK, ordinary_from=ORDINARY)
    assert np.isclose(nats, np.mean(by_hand), atol=1e-5)
