"""Temporarily shrinks the embedding table to the tokens of the training and validation texts.

A checkpoint has tens of thousands of tokens, and a task's texts use a part of them. The others,
half the weights of a small encoder, get no gradient, but every step would clear and measure their
gradients and update their moments and averages. So they are taken out during training and put back
unchanged afterwards; AdamW would have decayed them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.training.token_rows import TokenRows


@contextmanager
def tokens_in_use(model: PreTrainedModel, *rows: TokenRows) -> Iterator[None]:
    """Inside the block, `model` has the embeddings of the tokens in `rows` only.

    They are written back to the whole table after it. A frozen table, or one that is not a plain
    `Embedding`, is left alone.

    Args:
        rows: all rows that the model reads inside the block, for training and for validation.
    """
    whole = _table(model)
    if whole is None or not whole.weight.requires_grad:
        yield
        return
    padding = {part.pad_token_id for part in rows}
    ids = {token for part in rows for text in part.ids for token in text}
    tokens = torch.from_numpy(np.array(sorted(ids | padding), dtype=np.int64))
    part = _PartOfTable(whole, tokens)
    model.set_input_embeddings(part)
    try:
        yield
    finally:
        learned = part.weight.detach()
        with torch.no_grad():
            whole.weight[tokens] = learned.to(whole.weight)
        model.set_input_embeddings(whole.to(learned.device))


class _PartOfTable(torch.nn.Module):
    """Some rows of an embedding table, looked up by their original ids; other ids raise."""

    def __init__(self, whole: torch.nn.Embedding, tokens: torch.Tensor) -> None:
        super().__init__()
        places = torch.full((whole.num_embeddings,), -1)
        places[tokens] = torch.arange(len(tokens))
        self.weight = torch.nn.Parameter(whole.weight.detach()[tokens].clone())
        self.places = torch.nn.Buffer(places.to(whole.weight.device), persistent=False)
        padding = whole.padding_idx
        self._padding = None if padding is None or places[padding] < 0 else int(places[padding])

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """From token ids of any shape to embeddings, `(…, width)`."""
        return functional.embedding(self.places[input_ids], self.weight, self._padding)


def _table(model: PreTrainedModel) -> torch.nn.Embedding | None:
    try:
        table = model.get_input_embeddings()
    except NotImplementedError:
        return None
    return table if type(table) is torch.nn.Embedding else None
