"""Finds equal rows by 128-bit hashes of them, in NumPy.

Two of 10 million different texts have one hash with a chance of 2⁻⁸².
"""

import hashlib
from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_BYTES, _AT_ONCE = 16, 1 << 16


def hashes_of(texts: Iterable[str | bytes]) -> Hashes:
    """A hash of each text, which may be in UTF-8, `(texts, 2)`: equal texts have equal ones."""
    lines = (text if isinstance(text, bytes) else text.encode() for text in texts)
    digests = (hashlib.sha256(line).digest()[:_BYTES] for line in lines)
    parts = [np.zeros((0, 2), dtype=np.uint64)]
    while part := b"".join(islice(digests, _AT_ONCE)):
        parts.append(np.frombuffer(part, dtype=np.uint64).reshape(-1, 2))
    return np.concatenate(parts)


def first_equal(hashes: Hashes) -> NDArray[np.int64]:
    """The number of the first row with the same hash, for each row.

    Args:
        hashes: `(rows, 2)`.
    """
    order = np.argsort(hashes[:, 0], kind="stable")
    one, other = hashes[order, 0], hashes[order, 1]
    same = one[1:] == one[:-1]
    if (same & (other[1:] != other[:-1])).any():
        order = np.lexsort((hashes[:, 1], hashes[:, 0]))
        same = (hashes[order[1:]] == hashes[order[:-1]]).all(axis=1)
    starts = np.flatnonzero(np.append(True, ~same)[: len(order)])
    firsts = np.empty(len(order), dtype=np.int64)
    firsts[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return firsts
