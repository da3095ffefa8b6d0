"""Bits per byte: a score of language models that compares across vocabularies.

A model that factors a text by the chain rule says how many bits it takes to write the text down.
Per byte of the text, this does not depend on how the text is cut into tokens, and it compares with
a packer such as xz. Masked models have no such score.
"""

import lzma
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def text_bytes(texts: Sequence[str]) -> Floats:
    """UTF-8 bytes of each text plus one for its end, `(texts,)`."""
    return np.array([len(text.encode()) + 1.0 for text in texts])


def bits_per_byte(nats: Floats, sizes: Floats) -> float:
    """Bits of all texts divided by their bytes; each argument has one entry a text."""
    return float(nats.sum() / math.log(2) / sizes.sum())


def xz_bits_per_byte(training: Sequence[str], texts: Sequence[str]) -> float:
    """Bits a byte that xz needs for `texts` once it has seen `training`.

    Its window is larger than both together, so it may copy from any of the training text.
    """
    seen = "\0".join(training).encode() + b"\0"
    new = "\0".join(texts).encode() + b"\0"
    return 8 * (_packed(seen + new) - _packed(seen)) / len(new)


def _packed(data: bytes) -> int:
    window = max(1 << 20, 1 << (len(data) - 1).bit_length())
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": min(window, 1 << 30)}]
    return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))
