"""Turns a text, or the two texts of a pair, into the rows of tokens that a model reads.

A text that is longer than the model reads is cut, or read in windows of full length, each with its
special tokens and each some ordinary tokens further than the one before. In a pair the first text
is kept whole and the windows move over the second. Training does the same in torch:
pipeline/training/windows.py.
"""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from pipeline.core.errors import ArtifactError, DataError
from pipeline.runtime.task import Request

MAX_WINDOWS = 512
"""Windows read of one text; more would let one request hold a server for minutes."""


@dataclass(frozen=True)
class TokenRow:
    """One input of the model: token ids, and 0 for each, or 1 in the second text of a pair."""

    ids: list[int]
    segments: list[int]


class TextReader:
    """A tokenizer with the length of its model's input. Safe to use from several threads.

    Args:
        tokenizer: a `tokenizer.json`.
        max_length: tokens of a row, special tokens included.
        window_stride: ordinary tokens from the start of one window to the start of the next; None
            cuts the text.

    Raises:
        ArtifactError: the file does not load.
    """

    def __init__(self, tokenizer: Path, *, max_length: int, window_stride: int | None) -> None:
        self._tokenizer = _open_tokenizer(tokenizer)
        self._max_length, self._stride = max_length, window_stride
        if window_stride is None:
            self._tokenizer.enable_truncation(max_length=max_length)

    def read(self, request: Request) -> tuple[list[TokenRow], bool]:
        """Rows of at most `max_length` tokens, and whether a part of the text was left out.

        Raises:
            DataError: the first text of a pair leaves no room for the second.
        """
        encoding = self._encode(request)
        if self._stride is None or len(encoding.ids) <= self._max_length:
            return [TokenRow(encoding.ids, encoding.type_ids)], bool(encoding.overflowing)
        start, end = _ordinary_tokens(encoding, 0 if isinstance(request, str) else 1)
        room = self._max_length - (len(encoding.ids) - (end - start))
        if room < 1:
            raise DataError(
                f"a pair whose first text takes {start} of {self._max_length} tokens of a window",
                expected="a first text that leaves room for the second",
                next_step="shorten the first text, or give the longer text as the second",
            )
        starts = _window_starts(start, end, room=room, stride=self._stride)
        rows = [_window(encoding, begin, min(begin + room, end), ordinary=(start, end))
                for begin in starts[:MAX_WINDOWS]]  # fmt: skip
        return rows, len(starts) > MAX_WINDOWS

    def _encode(self, request: Request) -> Encoding:
        texts = (request,) if isinstance(request, str) else request
        return self._tokenizer.encode(*texts)


def _ordinary_tokens(encoding: Encoding, sequence: int) -> tuple[int, int]:
    """Start and end of the ordinary tokens of the first (0) or second (1) text in a row."""
    # In every format that BERT and its relatives use, the ordinary tokens of a text are contiguous.
    at = [i for i, number in enumerate(encoding.sequence_ids) if number == sequence]
    return (at[0], at[-1] + 1) if at else (len(encoding.ids), len(encoding.ids))


def _window_starts(start: int, end: int, *, room: int, stride: int) -> list[int]:
    """The first token of each window; the last window ends at `end` or before."""
    # A step longer than a window would skip tokens between two windows.
    step = min(stride, room)
    last = max(end - room, start)
    return [*range(start, last, step), start + -(-(last - start) // step) * step]


def _window(encoding: Encoding, begin: int, stop: int, *, ordinary: tuple[int, int]) -> TokenRow:
    """The row with only the tokens `begin` to `stop` of its ordinary ones."""
    start, end = ordinary
    ids, kinds = encoding.ids, encoding.type_ids
    return TokenRow(
        [*ids[:start], *ids[begin:stop], *ids[end:]],
        [*kinds[:start], *kinds[begin:stop], *kinds[end:]],
    )


def _open_tokenizer(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # tokenizers raises a bare Exception for a file it cannot read.
    except Exception as error:
        raise ArtifactError(
            f"{path.name} does not load: {error}",
            expected="a tokenizer.json of the tokenizers library",
            next_step="build the bundle again with `make pipeline`",
        ) from error
    # A saved tokenizer may carry the padding or length of its training.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
