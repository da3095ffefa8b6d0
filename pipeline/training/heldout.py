"""Held-out losses of language models, during training and after it."""

import numpy as np
import torch
from torch.nn import functional

from pipeline.text.batching import Ids, lengths_of, sorted_batches
from pipeline.training.loop import Objective

_BATCH = 32
_STEPS = 64


def heldout_loss(
    model: torch.nn.Module, objective: Objective, *, device: torch.device, rows: int
) -> float:
    """The mean loss over the first `rows` rows, nats per token, with a fixed random seed."""
    model.eval()
    state = torch.get_rng_state()
    torch.manual_seed(0)
    with torch.inference_mode():
        losses = [
            float(objective.loss(model, np.arange(start, min(start + _BATCH, rows)), device))
            for start in range(0, rows, _BATCH)
        ]
    torch.set_rng_state(state)
    return float(np.mean(losses))


def document_nats(
    model: torch.nn.Module, documents: list[Ids], *, boundary: int, device: torch.device
) -> np.ndarray:
    """The nats of each whole document by the chain rule, forward and backward, `(2, documents)`.

    Args:
        documents: token ids of each document, without special tokens.
        boundary: the token between documents; each reading starts with one and predicts one at its
            end.
    """
    model.eval()
    rows = [np.concatenate([[boundary], document, [boundary]]) for document in documents]
    nats = np.zeros((2, len(rows)))
    with torch.inference_mode():
        for batch in sorted_batches(lengths_of([row.tolist() for row in rows]), batch_size=8):
            some = [rows[i] for i in batch]
            nats[:, batch] = _batch_nats(model, some, boundary=boundary, device=device)
    return nats


def pseudo_nats(
    model: torch.nn.Module, rows: Ids, *, mask_token_id: int, ordinary_from: int
) -> float:
    """The mean nats of ordinary tokens of `rows`, each masked alone (Salazar et al. 2020).

    Its exponential is a masked model's pseudo-perplexity, which compares models of one vocabulary.
    The chain rule does not hold for it, so it is no perplexity and gives no bits per byte.

    Args:
        rows: token ids, `(rows, length)`.
        ordinary_from: ids below it are special tokens.
    """
    model.eval()
    device = next(model.parameters()).device
    nats = []
    with torch.inference_mode():
        for row in torch.from_numpy(rows).to(device):
            places = (row >= ordinary_from).nonzero()[:, 0]
            for some in places.split(_BATCH):
                turns = torch.arange(len(some), device=device)
                inputs = row.repeat(len(some), 1)
                inputs[turns, some] = mask_token_id
                states = model.bert(input_ids=inputs).last_hidden_state  # type: ignore[operator]
                logits = model.cls(states[turns, some]).float()  # type: ignore[operator]
                nats.append(functional.cross_entropy(logits, row[some], reduction="none"))
    return float(torch.cat(nats).double().mean())


def _batch_nats(
    model: torch.nn.Module, rows: list[Ids], *, boundary: int, device: torch.device
) -> np.ndarray:
    """The nats of each row, forward and backward, `(2, batch)`."""
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), boundary, device=device)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.from_numpy(row)
        mask[number, : len(row)] = 1
    layers = model.bilm(ids, mask)  # type: ignore[operator]
    inner = mask[:, 1:].double()
    after = _nats(model, layers.forward[-1][:, :-1], ids[:, 1:])
    before = _nats(model, layers.backward[-1][:, 1:], ids[:, :-1])
    return torch.stack([(after * inner).sum(1), (before * inner).sum(1)]).cpu().numpy()


def _nats(model: torch.nn.Module, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The nats of each target, `(batch, length)`, a few steps at a time to limit memory."""
    parts = [
        functional.cross_entropy(
            model.scores(some.flatten(0, 1)).float(),  # type: ignore[operator]
            wanted.flatten(),
            reduction="none",
        ).view(wanted.shape)
        for some, wanted in zip(
            torch.split(states, _STEPS, dim=1), torch.split(targets, _STEPS, dim=1), strict=True
        )
    ]
    return torch.cat(parts, dim=1).double()
