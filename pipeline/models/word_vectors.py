"""Texts as means of a checkpoint's word vectors: what a pretrained model knows of words, at no pass through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer

from pipeline.models.weight_files import WEIGHT_PATTERN

_TOKENIZER = "tokenizer.json"
_TABLES = ("word_embeddings.weight", "embed_tokens.weight", "tok_embeddings.weight", "wte.weight")
_READABLE = ("F32", "F16")


@dataclass(frozen=True)
class WordVectors:
    """The tokenizer of a checkpoint and the vector that its first layer has for each token.

    Attributes:
        table: `(tokens, width)`.
    """

    tokenizer: Tokenizer
    table: NDArray[np.float32]

    @classmethod
    def of(cls, folder: Path) -> "WordVectors | None":
        """Reads them from a checkpoint; None where it has no such table or no tokenizer.json."""
        if not (folder / _TOKENIZER).is_file():
            return None
        for file in sorted(folder.glob(WEIGHT_PATTERN)):
            with safe_open(file, framework="numpy") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - it is no mapping
                    readable = tensors.get_slice(name).get_dtype() in _READABLE
                    if name.endswith(_TABLES) and readable:
                        tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
                        tokenizer.no_truncation()
                        tokenizer.no_padding()
                        return cls(tokenizer, tensors.get_tensor(name).astype(np.float32))
        return None

    def means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean vector of each text, `(texts, width)`; zeros where it has no token.

        Tokens are weighted by how few of the texts have them: log(texts / (1 + texts with the token)), at
        least 0.1.
        """
        found = [
            np.asarray(encoded.ids, dtype=np.int64)
            for encoded in self.tokenizer.encode_batch([*texts], add_special_tokens=False)
        ]
        ends = np.cumsum([0, *map(len, found)])
        ids = np.concatenate([*found, np.empty(0, dtype=np.int64)])
        counts = csr_matrix(
            (np.ones(len(ids), dtype=np.float32), ids, ends), shape=(len(found), len(self.table))
        )
        counts.sum_duplicates()
        holders = np.bincount(counts.indices, minlength=len(self.table))
        rarity = np.maximum(np.log(len(found) / (1 + holders)), 0.1).astype(np.float32)
        sums = counts @ (self.table * rarity[:, None])
        return np.asarray(sums / np.maximum(np.diff(ends), 1)[:, None], dtype=np.float32)
