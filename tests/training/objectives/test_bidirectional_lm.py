"""Both directions learn, and a document's nats cover every token and its end."""

from pathlib import Path

import numpy as np
import torch

from pipeline.text.packing import PackedRows, TokenFile, documents_of, row_batches
from pipeline.training.heldout import document_nats, heldout_loss
from pipeline.training.objectives.bidirectional_lm import BidirectionalLanguageModelling
from tests.support.tiny_bilm import VOCABULARY, tiny_language_model

FIRST, END = 2, 3
CPU = torch.device("cpu")


def test_a_small_model_learns_a_repeating_stream_both_ways() -> None:
    stream = np.tile(np.arange(5, 13), 64).astype(np.uint16)
    objective = BidirectionalLanguageModelling(PackedRows(stream, 16), first_token_id=FIRST)
    model = tiny_language_model()
    before = heldout_loss(model, objective, device=CPU, rows=8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    model.train()
    for _ in range(40):
        optimizer.zero_grad()
        objective.loss(model, np.arange(16), CPU).backward()
        optimizer.step()
    assert heldout_loss(model, objective, device=CPU, rows=8) < 0.2 * before
    document = np.tile(np.arange(5, 13), 3)
    nats = document_nats(model, [document], boundary=END, device=CPU)
    assert (nats / len(document) < 1.5).all()  # uniform: 3.7


def test_a_document_costs_the_same_alone_and_beside_longer_ones() -> None:
    model, random = tiny_language_model(), np.random.default_rng(0)
    documents = [random.integers(5, VOCABULARY, n) for n in (3, 70, 150)]
    together = document_nats(model, documents, boundary=END, device=CPU)
    for number, document in enumerate(documents):
        alone = document_nats(model, [document], boundary=END, device=CPU)
        assert np.allclose(alone[:, 0], together[:, number])


def test_probabilities_of_all_one_token_documents_that_follow_add_up() -> None:
    model = tiny_language_model()
    empty = document_nats(model, [np.array([], dtype=np.int64)], boundary=END, device=CPU)
    assert 0 < empty[0, 0] < 20
    logits, _ = model(torch.tensor([[END, 7, END]]))
    first, second = torch.log_softmax(logits[0].double(), dim=-1)[[0, 1], [7, END]]
    nats = document_nats(model, [np.array([7])], boundary=END, device=CPU)
    assert np.isclose(nats[0, 0], -float((first + second).detach()), atol=1e-5)


def test_documents_come_back_out_of_the_stream() -> None:
    stream = np.array([7, 8, END, END, 9, END], dtype=np.uint16)
    assert [d.tolist() for d in documents_of(stream, end=END)] == [[7, 8], [], [9]]


def test_a_token_file_gives_what_the_array_holds(tmp_path: Path) -> None:
    stream = np.arange(1000, dtype=np.uint16)
    np.save(tmp_path / "stream.npy", stream)
    file = TokenFile(tmp_path / "stream.npy")
    rows = np.array([3, 0, 30])
    assert PackedRows(file, 32).count == PackedRows(stream, 32).count == 31
    assert np.array_equal(PackedRows(file, 32).read(rows), PackedRows(stream, 32).read(rows))


def test_every_packed_row_comes_once_an_epoch_and_in_another_order_the_next() -> None:
    first, second = (row_batches(10, batch_size=4, seed=1, epoch=epoch) for epoch in (0, 1))
    assert sorted(np.concatenate(first).tolist()) == list(range(10))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
