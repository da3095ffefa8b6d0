"""Turns a text, or the two texts of a pair, into the rows of tokens that a model reads.

A text that is longer than the model reads is cut, or read in windows of full length, each with its
special tokens and each some ordinary tokens further than the one before. In a pair the first text
is kept whole and the windows move over the second. Training does the same in torch:
pipeline/training/windows.py. Of a text that is longer than all that, the rest is never tokenized
(pipeline/runtime/long_text.py); the rows are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from pipeline.core.cleaning import clean
from pipeline.core.errors import DataError, unusable
from pipeline.runtime.file_bytes import FileBytes, bytes_of
from pipeline.runtime.long_text import (
    Part,
    beginning_of,
    encode,
    encode_request,
    head,
    longest_read_whole,
)
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

    def read(self, request: Request, *, cleaning: int = 0) -> tuple[list[TokenRow], bool]:
        """Rows of at most `max_length` tokens, and whether a part of the text was left out.

        Args:
            cleaning: number of the rules by which the texts are cleaned first, as those of the training
                data were; 0 reads them as they come.

        Raises:
            DataError: the first text of a pair leaves no room for the second; or nothing is left of
                a text once it is cleaned.
        """
        texts = self._needed(request, cleaning=cleaning)
        encoding = encode_request(self._tokenizer, texts)
        if len(encoding.ids) <= self._max_length:
            return [TokenRow(encoding.ids, encoding.type_ids)], False
        if self._stride is None:
            return [self._cut(encoding, pair=len(texts) > 1)], True
        return self._windows(encoding, moved=len(texts) - 1)

    def read_short(
        self, requests: Sequence[Request], *, cleaning: int = 0
    ) -> list[TokenRow | None]:
        """The one row of each request that fits into it whole, as `read` gives it; None for all others.

        Many at once cost less than one after the other: what is done to a text stays in the processor's
        caches for the next.
        """
        texts = [self._whole(request, cleaning=cleaning) for request in requests]
        numbers = [number for number, found in enumerate(texts) if found is not None]
        encodings = self._tokenizer.encode_batch_fast([texts[number] for number in numbers])
        rows: list[TokenRow | None] = [None] * len(requests)
        for number, encoding in zip(numbers, encodings, strict=True):
            if len(ids := encoding.ids) <= self._max_length:
                rows[number] = TokenRow(ids, encoding.type_ids)
        return rows

    def _whole(self, request: Request, *, cleaning: int) -> Request | None:
        """The texts of a request once cleaned, where they are short; None where they are not, or one is empty."""
        most = longest_read_whole(self._max_length)
        whole = []
        for text in (request,) if isinstance(request, str) else request:
            if len(text) > most:
                return None
            found = clean(text, rules=cleaning) if cleaning else text
            if len(found) > most or not found:
                return None
            whole.append(found)
        return whole[0] if len(whole) == 1 else (whole[0], whole[1])

    def _needed(self, request: Request, *, cleaning: int) -> list[str]:
        """The texts of a request, each as far as its tokens can be read."""
        if isinstance(request, str) and len(request) <= longest_read_whole(self._max_length):
            whole = clean(request, rules=cleaning) if cleaning else request
            if 0 < len(whole) <= longest_read_whole(self._max_length):
                return [whole]  # as below, with less work: most requests are short
        texts = (request,) if isinstance(request, str) else request
        start = [
            partial(head, self._tokenizer, beginning_of(text, cleaning=cleaning)) for text in texts
        ]
        first, rest = start[0], start[1:]
        if self._stride is None:
            parts = self._in_order(first, rest[0]) if rest else [first(tokens=self._max_length)]
        else:
            most = MAX_WINDOWS * min(self._stride, self._max_length) + self._max_length
            parts = [part(tokens=self._max_length) for part in start[:-1]]
            parts.append(start[-1](tokens=most))
        if any(text and not part.text for text, part in zip(texts, parts, strict=True)):
            raise DataError(
                "a text of which nothing is left without its markup and white space",
                expected="a text with at least one character",
                next_step="leave empty texts out of the request",
            )
        return [part.text for part in parts]

    def _in_order(self, first: "partial[Part]", second: "partial[Part]") -> list[Part]:
        """The two texts of a pair that is cut, so far that the longer of them is still the longer."""
        tokens = self._max_length
        while True:
            parts = [first(tokens=tokens), second(tokens=tokens)]
            whole = [part.text for part in parts if part.whole]
            if len(whole) == 2:
                return parts
            if not whole:
                tokens *= 4
            elif (found := len(encode(self._tokenizer, whole[0]))) < tokens:
                return parts
            else:
                tokens = found + 1

    def _cut(self, encoding: Encoding, *, pair: bool) -> TokenRow:
        """The one row of a text that is cut: of a pair, the longer text gives tokens first.

        The same as `tokenizers` with the strategy `longest_first`, which training uses; that builds
        all the parts that were cut off, too.
        """
        texts = [_places(encoding, text) for text in range(1 + pair)]
        room = max(self._max_length - (len(encoding.ids) - sum(map(len, texts))), 0)
        lengths = [room]
        if pair:
            short, long = sorted(map(len, texts))
            long = short if short > room else max(short, room - short)
            if short + long > room:
                short, long = room // 2, room - room // 2
            lengths = [long, short] if len(texts[0]) > len(texts[1]) else [short, long]
        dropped = {at for places, kept in zip(texts, lengths, strict=True) for at in places[kept:]}
        kept = [at for at in range(len(encoding.ids)) if at not in dropped]
        ids, kinds = encoding.ids, encoding.type_ids
        return TokenRow([ids[at] for at in kept], [kinds[at] for at in kept])

    def _windows(self, encoding: Encoding, *, moved: int) -> tuple[list[TokenRow], bool]:
        """The windows over the text number `moved`, and whether there are more than are read."""
        ids, kinds, places = encoding.ids, encoding.type_ids, _places(encoding, moved)
        start, end = (places[0], places[-1] + 1) if places else (len(ids), len(ids))
        room = self._max_length - (len(ids) - (end - start))
        if room < 1:
            raise DataError(
                f"a pair whose first text takes all {self._max_length} tokens of a window",
                expected="a first text that leaves room for the second",
                next_step="shorten the first text, or give the longer text as the second",
            )
        # A step longer than a window would skip tokens between two windows.
        step, last = min(self._stride or room, room), max(end - room, start)
        starts = [*range(start, last, step), start + -(-(last - start) // step) * step]

        def window(values: list[int], begin: int) -> list[int]:
            return values[:start] + values[begin : min(begin + room, end)] + values[end:]

        rows = [TokenRow(window(ids, at), window(kinds, at)) for at in starts[:MAX_WINDOWS]]
        return rows, len(starts) > MAX_WINDOWS


def _places(encoding: Encoding, text: int) -> list[int]:
    """Where the tokens of a text stand: side by side, in every format of BERT and its relatives."""
    return [at for at, number in enumerate(encoding.sequence_ids) if number == text]


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
