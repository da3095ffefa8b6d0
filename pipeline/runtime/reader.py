"""Turns a text, or the two texts of a pair, into the rows of tokens that a model reads.

A text that is longer than the model reads is cut, or read in windows of full length, each with its
special tokens and each some ordinary tokens further than the one before. In a pair the first text
is kept whole and the windows move over the second. Training does the same in torch:
pipeline/training/windows.py.
"""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.core.errors import DataError, unusable
from pipeline.runtime.file_bytes import FileBytes, bytes_of
from pipeline.runtime.task import Request

MAX_WINDOWS = 512
"""Windows read of one text; more would let one request hold a server for minutes."""


@dataclass(frozen=True)
class TokenRow:
    """One input of the model: token ids, and 0 for each, or 1 in the second text of a pair."""

    ids: list[int]
    segments: list[int]


class TextReader:
    """A tokenizer with the lengths of its model's task. Safe to use from several threads."""

    def __init__(
        self, tokenizer: Path | FileBytes, *, max_length: int, window_stride: int | None
    ) -> None:
        self._tokenizer = open_tokenizer(tokenizer)
        self._max_length, self._stride = max_length, window_stride
        if window_stride is None:
            self._tokenizer.enable_truncation(max_length=max_length)

    def read(self, request: Request) -> tuple[list[TokenRow], bool]:
        """Rows of at most `max_length` tokens, and whether a part of the text was left out.

        Raises:
            DataError: the first text of a pair leaves no room for the second.
        """
        encoding = self._tokenizer.encode(*((request,) if isinstance(request, str) else request))
        ids, kinds = encoding.ids, encoding.type_ids
        if self._stride is None or len(ids) <= self._max_length:
            return [TokenRow(ids, kinds)], bool(encoding.overflowing)
        # In every format that BERT and its relatives use, a text's ordinary tokens are contiguous.
        moved = 0 if isinstance(request, str) else 1
        places = [i for i, number in enumerate(encoding.sequence_ids) if number == moved]
        start, end = (places[0], places[-1] + 1) if places else (len(ids), len(ids))
        room = self._max_length - (len(ids) - (end - start))
        if room < 1:
            raise DataError(
                f"a pair whose first text takes {start} of {self._max_length} tokens of a window",
                expected="a first text that leaves room for the second",
                next_step="shorten the first text, or give the longer text as the second",
            )
        # A step longer than a window would skip tokens between two windows.
        step, last = min(self._stride, room), max(end - room, start)
        starts = [*range(start, last, step), start + -(-(last - start) // step) * step]

        def window(values: list[int], begin: int) -> list[int]:
            return values[:start] + values[begin : min(begin + room, end)] + values[end:]

        rows = [TokenRow(window(ids, at), window(kinds, at)) for at in starts[:MAX_WINDOWS]]
        return rows, len(starts) > MAX_WINDOWS


def open_tokenizer(file: Path | FileBytes) -> Tokenizer:
    """The tokenizer in a file, without the padding and length that its training may have saved."""
    try:
        tokenizer = Tokenizer.from_buffer(bytes_of(file).content)
    # tokenizers raises a bare Exception for a file it cannot read.
    except Exception as error:
        raise unusable(
            f"{file.name} does not load: {error}",
            expected="a tokenizer.json of the tokenizers library",
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
