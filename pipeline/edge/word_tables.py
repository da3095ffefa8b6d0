"""Tells a browser what a tokenizer does with single characters: which it changes, drops, and splits words at.

It is asked about each code point, so that neither the browser's Unicode nor its library's rules decide.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from tokenizers import Tokenizer, normalizers, pre_tokenizers

from pipeline.edge.character_tables import CODES, class_of

_AT_ONCE = 4096
_APART = "0"
"""Stands between characters that are asked about together: nothing else ever becomes a digit."""
_LIGHT, _HEAVY = "\u0334", "\u0345"
"""Marks of the lowest and the highest combining class, 1 and 240."""


def word_parts(tokenizer: Tokenizer) -> dict[str, Any] | None:
    """How the tokenizer reads single characters, as BERT does or as bytes; `kind` says which.

    None for any other tokenizer, which the browser's library then reads by itself.
    """
    normalizer, pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    if isinstance(normalizer, normalizers.BertNormalizer) and isinstance(
        pre_tokenizer, pre_tokenizers.BertPreTokenizer
    ):
        return _bert_parts(
            clean_text=normalizer.clean_text,
            handle_chinese_chars=normalizer.handle_chinese_chars,
            strip_accents=normalizer.strip_accents,
            lowercase=normalizer.lowercase,
        )
    composes = isinstance(normalizer, normalizers.NFC)
    if isinstance(pre_tokenizer, pre_tokenizers.ByteLevel) and (composes or normalizer is None):
        splits_as_gpt = pre_tokenizer.use_regex and not pre_tokenizer.add_prefix_space
        return _byte_parts(composes=composes) if splits_as_gpt else None
    return None


@cache
def _bert_parts(
    *, clean_text: bool, handle_chinese_chars: bool, strip_accents: bool | None, lowercase: bool
) -> dict[str, Any]:
    """How BERT reads characters with these settings of its normalizer; both go character by character.

    Keys: `removed`; `spaced`, which become words of their own; `decomposed`, which are taken apart as
    Unicode does; `others`, a character → what becomes of it; `blanks`, between words; `marks`, words of
    their own; `orders`, a combining character that stays → its class, by which neighbours are sorted;
    `parting`, removed ones between which nothing is sorted.
    """
    normalizer = normalizers.BertNormalizer(
        clean_text=clean_text,
        handle_chinese_chars=handle_chinese_chars,
        strip_accents=strip_accents,
        lowercase=lowercase,
    )
    changed = {char: found for char, found in _normalized(normalizer) if char != found}
    spaced = {char for char, found in changed.items() if found == f" {char} "}
    removed = {char for char, found in changed.items() if not found}
    apart = {
        char
        for char, found in changed.items()
        if found == unicodedata.normalize("NFD", char) and char not in removed
    }
    others = changed.keys() - spaced - removed - apart
    left = sorted({*map(chr, CODES)} - changed.keys() | {*"".join(changed.values())})
    blanks, marks = _split(pre_tokenizers.BertPreTokenizer(), left)
    sorts = lowercase if strip_accents is None else strip_accents
    classes = _combining_classes() if sorts else {}
    return {
        "kind": "bert",
        "removed": class_of(map(ord, removed)),
        "spaced": class_of(map(ord, spaced)),
        "decomposed": class_of(map(ord, apart)),
        "others": {char: changed[char] for char in sorted(others)},
        "blanks": class_of(map(ord, blanks)),
        "marks": class_of(map(ord, marks)),
        "orders": {char: classes[char] for char in left if char in classes},
        "parting": class_of(map(ord, _parting(normalizer, removed, classes) if sorts else ())),
    }


@cache
def _byte_parts(*, composes: bool) -> dict[str, Any]:
    """How byte-level BPE splits a text, which goes by classes of characters.

    Keys: `letters`, `numbers`, `blanks`; `unknown`, the characters that no other one melts with, or None
    where texts are not composed at all.
    """
    everything = [chr(code) for code in CODES]
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters, numbers, signs = (_joined_with(split, bearer, everything) for bearer in "a1!")
    return {
        "kind": "bytes",
        "letters": class_of(map(ord, letters)),
        "numbers": class_of(map(ord, numbers)),
        "blanks": class_of(map(ord, {*everything} - letters - numbers - signs)),
        "unknown": class_of(map(ord, _unknown_in_composing())) if composes else None,
    }


def _joined_with(pre_tokenizer: Any, bearer: str, characters: list[str]) -> set[str]:
    """The characters that are one word with `bearer` on both sides."""
    joined: set[str] = set()
    for batch in _batches(characters):
        text = bearer + "".join(f"{character}{bearer}" for character in batch)
        starts = {start for _, (start, _) in pre_tokenizer.pre_tokenize_str(text)}
        joined.update(c for at, c in enumerate(batch) if not {2 * at + 1, 2 * at + 2} & starts)
    return joined


def _batches(characters: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for character in characters:
        batch.append(character)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    yield batch


def _normalized(normalizer: Any) -> Iterator[tuple[str, str]]:
    """Each character with what the normalizer makes of it."""
    for batch in _batches(chr(code) for code in CODES if chr(code) != _APART):
        found = normalizer.normalize_str(_APART.join(batch)).split(_APART)
        yield from zip(batch, found, strict=True)


def _split(pre_tokenizer: Any, characters: list[str]) -> tuple[list[str], list[str]]:
    """The characters that part words, and those that are words of their own, even between letters."""
    blanks, marks = [], []
    for batch in _batches(characters):
        text = "a" + "".join(f"{character}a" for character in batch)
        covered = bytearray(len(text))
        for piece, (start, end) in pre_tokenizer.pre_tokenize_str(text):
            covered[start:end] = (1 if len(piece) > 1 else 2 if start % 2 else 1,) * (end - start)
        blanks += [char for at, char in enumerate(batch) if covered[2 * at + 1] == 0]
        marks += [char for at, char in enumerate(batch) if covered[2 * at + 1] == 2]
    return blanks, marks


def _combining_classes() -> dict[str, int]:
    """The combining classes that the tokenizer's decomposition sorts by: Unicode never changes one."""
    candidates = ((chr(code), unicodedata.combining(chr(code))) for code in CODES)
    return {char: order for char, order in candidates if order and _is_sorted(char)}


def _is_sorted(character: str) -> bool:
    """Whether the tokenizer's decomposition takes a character for a mark with a place in an order."""
    decompose = normalizers.NFD().normalize_str
    if len(decompose(character)) > 1:
        return False
    return bool(
        decompose(f"{character}{_LIGHT}")[0] == _LIGHT
        or decompose(f"{_HEAVY}{character}")[0] == character
    )


def _unknown_in_composing() -> Iterator[str]:
    """The characters that Python or a newer browser would sort, decompose or compose, and the tokenizer not."""
    decompose = normalizers.NFD().normalize_str
    for character in map(chr, CODES):
        moves = (
            unicodedata.combining(character) or unicodedata.normalize("NFD", character) != character
        )
        if (
            (moves or unicodedata.category(character) == "Cn")
            and decompose(character) == character
            and not _is_sorted(character)
        ):
            yield character


def _parting(normalizer: Any, removed: set[str], classes: dict[str, int]) -> Iterator[str]:
    """The characters that are removed as accents, after sorting, and of which a part has class 0."""
    cleans = normalizers.BertNormalizer(
        clean_text=normalizer.clean_text,
        handle_chinese_chars=False,
        strip_accents=False,
        lowercase=False,
    )
    for character in removed:
        if cleans.normalize_str(character):
            parts = normalizers.NFD().normalize_str(character)
            if any(part not in classes for part in parts):
                yield character
