"""Cuts texts that are longer than the model reads into overlapping windows.

A window has `max_length` tokens, special ones included, and starts `stride` ordinary tokens after
the one before; the last one ends with the text. In a pair, only the second text is cut, and every
window has the whole first text; if the first leaves less room than `stride`, windows start as far
apart as there is room, so that no token is skipped. pipeline/runtime cuts served texts into the
same windows.
"""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from pipeline.core.errors import DataError

Rows = list[list[int]]
"""Token ids, or segments, of each window."""


def cut_windows(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    seconds: Sequence[str],
    max_length: int,
    stride: int,
) -> tuple[Rows, Rows, list[int]]:
    """The ids, the segments and the text's number of each window; a short text is one window.

    Args:
        seconds: the second text of each pair; empty where there are no pairs.

    Raises:
        DataError: the first text of a pair leaves no room for the second.
    """
    pairs = (list(seconds),) if seconds else ()
    whole: Any = tokenizer(list(texts), *pairs, return_token_type_ids=True, verbose=False)
    ids, segments, documents = [], [], []
    for number, row in enumerate(whole["input_ids"]):
        cut, kinds = [row], [whole["token_type_ids"][number]]
        if len(row) > max_length:
            text = texts[number], *(column[number] for column in pairs)
            cut, kinds = _cut(tokenizer, text, max_length=max_length, stride=stride)
        ids += cut
        segments += kinds
        documents += [number] * len(cut)
    return ids, segments, documents


def _cut(
    tokenizer: PreTrainedTokenizerBase, text: tuple[str, ...], *, max_length: int, stride: int
) -> tuple[Rows, Rows]:
    """Ids and segments of the windows of one text, or of one pair."""
    *first, _ = text
    room = max_length - tokenizer.num_special_tokens_to_add(pair=bool(first))
    room -= sum(len(tokenizer(t, add_special_tokens=False)["input_ids"]) for t in first)
    if room < 1:
        raise DataError(
            f"the first text of a pair leaves no room for the second: {text[0][:80]!r} …",
            expected=f"first texts of fewer than {max_length} tokens (prepare.max_length)",
            next_step="raise prepare.max_length, put the longer text second, or set "
            "prepare.window_stride: null, which cuts both",
        )
    found: Any = tokenizer(
        *text,
        truncation="only_second" if first else True,
        max_length=max_length,
        stride=room - min(stride, room),  # the library's `stride` is the overlap of two windows
        return_overflowing_tokens=True,
        return_token_type_ids=True,
    )
    return found["input_ids"], found["token_type_ids"]
