"""Tells UTF-16 and UTF-32 without a byte order mark, and says what text is made of."""

import unicodedata
from collections import Counter
from collections.abc import Callable

_SAMPLE = 200_000
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_EAST_ASIA = (("\u3000", "\u30ff"), ("\u4e00", "\u9fff"), ("가", "힣"), ("\uff00", "\uffef"))
_PRINTED = frozenset(b"\t\r\n" + bytes(range(0x20, 0x7F)))
_LEAST_PLAIN = 0.02
_LEAST_KANA = 0.15
_FEW = 0.01


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or 32 without a mark: every blank, comma and line feed of it has a zero byte."""
    sample = data[:_SAMPLE]
    if b"\0" not in data:
        return _wide_without_blanks(sample)
    scores = {name: _plain_share(sample, name) for name in _WIDE}
    best = max(scores, key=scores.__getitem__)  # of equals, the first
    return best if scores[best] else None


def _wide_without_blanks(data: bytes) -> str | None:
    """UTF-16 of a line without a blank, a digit or an end: Japanese by its kana, Korean by its Hangul."""
    if len(data) % 2 or is_decodable(data, "utf-8"):
        return None
    for name in _WIDE[2:]:
        text = data.decode(name, errors="replace")
        if not text or share_of(text, _is_of_east_asia) <= 0.95:
            continue
        kana = share_of(text, lambda c: "ぁ" <= c <= "ヿ") > _LEAST_KANA
        if kana or (share_of(text, is_hangul) > 0.5 and not is_decodable(data, "cp949")):
            return name
    return None


def _plain_share(data: bytes, name: str) -> float:
    """Share of characters of ASCII in the text that a wide encoding makes of the bytes; 0 where it
    makes none, or what is no text.
    """
    unit = 4 if "32" in name else 2
    try:
        text = data[: len(data) // unit * unit].decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if error.end < len(data) - unit:  # a sample may end between the halves of a character
            return 0.0
        text = data[: error.start].decode(name)
    if not text or share_of(text, _is_of_no_text) > _FEW:
        return 0.0
    plain = share_of(text, lambda c: (c.isprintable() and c.isascii()) or c in "\t\r\n")
    printed = sum(byte in _PRINTED for byte in data) / max(len(data) - data.count(0), 1)
    # Bytes that are ASCII, a zero among them: read in pairs they are rare Han characters.
    if plain < 0.5 and printed > 0.9 and not _is_of_one_script(text):
        return 0.0
    # A line of Japanese or Chinese has no blank, but then it is all of these letters.
    return plain if plain >= _LEAST_PLAIN or share_of(text, _is_of_east_asia) > 0.95 else 0.0


def _is_of_one_script(text: str) -> bool:
    """Whether nearly all characters outside ASCII are of one block of 256, as the letters of Hindi are."""
    blocks = Counter(ord(c) >> 8 for c in text if not c.isascii())
    return blocks.total() > 0 and max(blocks.values()) > 0.9 * blocks.total()


def _is_of_east_asia(character: str) -> bool:
    """Whether it is a Han character, kana, Hangul, or one of their marks."""
    return character in "\t\r\n" or any(low <= character <= high for low, high in _EAST_ASIA)


def _is_of_no_text(character: str) -> bool:
    return character not in "\t\r\n" and unicodedata.category(character) in {"Cc", "Cn", "Co", "Cs"}


def is_decodable(data: bytes, encoding: str) -> bool:
    """Whether the bytes are text of the encoding."""
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def share_of(text: str, is_likely: Callable[[str], bool]) -> float:
    """Share of the characters for which it holds."""
    return sum(map(is_likely, text)) / len(text)


def is_hangul(character: str) -> bool:
    """Whether a character is a whole syllable of Hangul."""
    return "가" <= character <= "힣"
