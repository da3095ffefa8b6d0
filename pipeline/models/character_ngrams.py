"""Counts the n-grams of characters within words, as scikit-learn's analyzer `char_wb` takes them.

An n-gram is one number here, 16 bits a character, so that NumPy sorts and counts those of a text at once;
scikit-learn makes a string of each, which takes most of the time of a baseline on long texts.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Keys = NDArray[np.uint64]

LONGEST = 4
"""Characters that a key has room for."""
_BITS = 16
_UNKNOWN = (1 << _BITS) - 1
"""Number of a character that no text of `fit_transform` has."""
_CODES = 0x110000


class CharacterNgrams:
    """Counts of the n-grams of 1 to `longest` characters in texts.

    Words are in lower case, with a blank before and after each; an n-gram is within one of them.
    """

    def __init__(self, *, longest: int, min_texts: int) -> None:
        """Nothing is counted yet.

        Args:
            longest: characters of the longest n-gram, at most `LONGEST`.
            min_texts: an n-gram of fewer texts is left out.
        """
        if not 1 <= longest <= LONGEST:
            raise ValueError(f"longest is {longest}; expected 1 to {LONGEST}")
        self._longest, self._min_texts = longest, min_texts
        self._numbers = np.full(_CODES, _UNKNOWN, dtype=np.uint16)
        self._known = np.zeros(0, dtype=np.uint64)

    def fit_transform(self, texts: Sequence[str]) -> csr_matrix:
        """How often each text has each n-gram that enough of them have, `(texts, ngrams)`."""
        padded = [_padded(text) for text in texts]
        codes = np.unique(_codes("".join({*"".join(padded)})))
        # Where there are too many characters, the last ones are as unknown ones.
        codes = codes[: _UNKNOWN - 1]
        self._numbers[codes] = np.arange(1, len(codes) + 1)
        counted = [self._counted(text) for text in padded]
        keys, holders = np.unique(np.concatenate([keys for keys, _ in counted]), return_counts=True)
        self._known = keys[holders >= self._min_texts]
        return self._table(counted)

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """How often each text has each n-gram that `fit_transform` found, `(texts, ngrams)`."""
        return self._table([self._counted(_padded(text)) for text in texts])

    def _counted(self, padded: str) -> tuple[Keys, NDArray[np.intp]]:
        """The n-grams of a text and how often it has each; none with an unknown character."""
        codes = _codes(padded)
        characters = self._numbers[codes].astype(np.uint64)
        blanks = np.flatnonzero(codes == ord(" "))
        starts, ends = blanks[::2], blanks[1::2] + 1  # of each word with its two blanks
        left = np.repeat(ends, ends - starts) - np.arange(len(codes))  # characters to the end
        known = characters != _UNKNOWN
        keys, fits, found = np.zeros(len(codes), dtype=np.uint64), np.ones(len(codes), bool), []
        for length in range(1, self._longest + 1):
            last = len(codes) - length + 1
            if last < 1:
                break
            keys = keys[:last] << np.uint64(_BITS) | characters[length - 1 :]
            fits = fits[:last] & known[length - 1 :]
            found.append(keys[fits & (left[:last] >= length)])
        return np.unique(np.concatenate([*found, keys[:0]]), return_counts=True)

    def _table(self, counted: Sequence[tuple[Keys, NDArray[np.intp]]]) -> csr_matrix:
        ends, columns, values = [0], [], []
        for keys, counts in counted:
            places = np.searchsorted(self._known, keys)
            places[places == len(self._known)] = 0
            is_known = (
                self._known[places] == keys if len(self._known) else np.zeros(len(keys), bool)
            )
            columns.append(places[is_known].astype(np.int32))
            values.append(counts[is_known].astype(np.float32))
            ends.append(ends[-1] + len(columns[-1]))
        table = (
            np.concatenate([*values, np.zeros(0, np.float32)]),
            np.concatenate([*columns, np.zeros(0, np.int32)]),
            np.array(ends),
        )
        return csr_matrix(table, shape=(len(counted), len(self._known)))


def _padded(text: str) -> str:
    """The words in lower case, each with a blank before and after it."""
    words = text.lower().split()
    return f" {'  '.join(words)} " if words else ""


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
