"""Long texts in windows: what a model with room for `max_length` tokens reads of a text that has more.

Windows are `max_length` tokens, special ones included, and begin `stride` ordinary tokens apart; the
last ends with the text. Of a pair the second text is cut and the first stands whole in every window;
where the first leaves less room than `stride`, windows begin as far apart as there is room, so that no
token is left out. pipeline/runtime cuts the same windows of what is served.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedTokenizerBase

from pipeline.core.errors import DataError


@dataclass
class Windows:
    """Token ids, segments, and the number of the text, of each window."""

    ids: list[list[int]] = field(default_factory=list)
    segments: list[list[int]] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)


def cut_windows(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    seconds: Sequence[str],
    max_length: int,
    stride: int,
) -> Windows:
    """The windows of each text or pair, in order; a short one is a window by itself.

    Args:
        seconds: the second text of each pair; empty where there are no pairs.

    Raises:
        DataError: the first text of a pair leaves no room for the second.
    """
    pairs = (list(seconds),) if seconds else ()
    whole: Any = tokenizer(list(texts), *pairs, return_token_type_ids=True, verbose=False)
    windows = Windows()
    for number, ids in enumerate(whole["input_ids"]):
        if len(ids) <= max_length:
            cut, kinds = [ids], [whole["token_type_ids"][number]]
        else:
            text = texts[number], *(column[number] for column in pairs)
            cut, kinds = _cut(tokenizer, text, max_length=max_length, stride=stride)
        windows.ids += cut
        windows.segments += kinds
        windows.documents += [number] * len(cut)
    return windows


def _cut(
    tokenizer: PreTrainedTokenizerBase, text: tuple[str, ...], *, max_length: int, stride: int
) -> tuple[list[list[int]], list[list[int]]]:
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
        stride=room - min(stride, room),  # what the library calls so is how far windows overlap
        return_overflowing_tokens=True,
        return_token_type_ids=True,
    )
    return found["input_ids"], found["token_type_ids"]
