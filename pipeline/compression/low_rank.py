"""Embeddings as the product of a thin table and a small matrix (Lan et al. 2020, ALBERT).

Most of a small model is its embedding table. Words need fewer dimensions than the layers that read
them, so the table `(tokens, hidden)` becomes `(tokens, rank) · (rank, hidden)`, with the directions
in which the tokens of real texts differ most. During training the model holds both factors. It is
saved with their product, as a plain BERT that transformers loads, and `embedding_rank` in its
config; the export splits the product into factors again, exactly but for rounding.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.core.errors import ArtifactError

_SEED = 0


class LowRankEmbedding(nn.Module):
    """`table[ids] · projection`.

    Args:
        table: `(tokens, rank)`.
        projection: `(rank, hidden)`.
    """

    def __init__(self, table: torch.Tensor, projection: torch.Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table.contiguous())
        self.projection = nn.Parameter(projection.contiguous())

    @property
    def weight(self) -> torch.Tensor:
        """The whole table, `(tokens, hidden)`."""
        return self.table @ self.projection

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """`(batch, length)` to `(batch, length, hidden)`."""
        return functional.embedding(ids, self.table) @ self.projection


def factorise(model: PreTrainedModel, counts: NDArray[np.int64], *, rank: int) -> None:
    """Replaces the model's embedding table by its best factors of rank `rank`.

    Args:
        counts: how often each token occurs in the texts, `(tokens,)`; one is added to each.

    Raises:
        ArtifactError: the model has no table of embeddings, or `rank` is not below its width.
    """
    words = _embeddings(model).word_embeddings
    width = words.weight.shape[1]
    if not 0 < rank < width:
        raise ArtifactError(
            f"distill.embedding_rank = {rank} of embeddings {width} wide",
            expected=f"1 to {width - 1}, or null",
            next_step="correct distill.embedding_rank",
        )
    weight = words.weight.detach().double()
    share = torch.from_numpy(counts.astype(np.float64) + 1.0)[:, None]
    directions = torch.linalg.eigh(weight.T @ (weight * share)).eigenvectors[:, -rank:]
    table, projection = (weight @ directions).float(), directions.T.float()
    _embeddings(model).word_embeddings = LowRankEmbedding(table, projection)
    model.config.embedding_rank = rank


def fuse_factors(model: PreTrainedModel) -> None:
    """Replaces the factors by their product, one table, as which transformers saves the model."""
    if getattr(model.config, "embedding_rank", None) is None:
        return
    embeddings = _embeddings(model)
    weight = embeddings.word_embeddings.weight.detach().contiguous()
    padding = model.config.pad_token_id
    tokens, width = weight.shape
    whole = nn.Embedding(tokens, width, padding_idx=padding, _weight=weight)
    embeddings.word_embeddings = whole


def split_into_factors(model: PreTrainedModel) -> None:
    """Replaces a table that `fuse_factors` made by factors; other models stay as they are.

    A random rotation between the factors makes all columns of the table about equally large, so
    that one int8 scale suits the whole table (QuaRot, Ashkboos et al. 2024).
    """
    rank = getattr(model.config, "embedding_rank", None)
    if rank is None:
        return
    embeddings = _embeddings(model)
    weight = embeddings.word_embeddings.weight.detach().double()
    left, sizes, right = torch.linalg.svd(weight, full_matrices=False)
    generator = torch.Generator().manual_seed(_SEED)
    noise = torch.randn(rank, rank, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(noise).Q
    table = (left[:, :rank] * sizes[:rank]) @ rotation
    projection = rotation.T @ right[:rank]
    embeddings.word_embeddings = LowRankEmbedding(table.float(), projection.float())


def _embeddings(model: PreTrainedModel) -> Any:
    embeddings = getattr(getattr(model, "base_model", None), "embeddings", None)
    if not hasattr(embeddings, "word_embeddings"):
        raise ArtifactError(
            f"a {type(model).__name__}",
            expected="a BERT-shaped model with base_model.embeddings.word_embeddings",
            next_step="set distill.embedding_rank: null, or use pretrain.model: bert",
        )
    return embeddings
