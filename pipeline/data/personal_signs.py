"""Tells which of many texts may hold personal data, all at once: few do, and only these are read closely.

Texts are one array of bytes here, a byte a character. What every rule of `personal_data` asks for is looked for in it:
an `@`, the start of an address of the web, colons or dots as addresses of a network have them, eight digits.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.data.personal_data import PLAIN_FORMS

Places = NDArray[np.int64]

_BETWEEN = np.zeros(256, dtype=np.bool_)
_BETWEEN[list(b"-. ()/+")] = True
"""Whether a byte may stand between two digits of a number."""
_LOOKED_AT = 8
"""Bytes after a digit that are looked at; where all may stand between digits, those after them may too."""
_END = "\0"
_EDGE = _END * (_LOOKED_AT + 1)
_FORMS = np.full(1 << 16, ord("~"), dtype=np.uint8)
_FORMS[:128] = range(128)
_FORMS[[ord(form) for form in PLAIN_FORMS]] = [ord(plain) for plain in PLAIN_FORMS.values()]
"""Code point → that of the character of ASCII it is a form of; the last stands for all beyond."""
_DIGITS = 8
_COLONS = 7


def may_hold(texts: Sequence[str | None]) -> set[int]:
    """The places of the texts in which `personal_data.spans` may find something; in others it finds nothing."""
    ascii_texts = [(place, text) for place, text in enumerate(texts) if text and text.isascii()]
    others = [(place, text) for place, text in enumerate(texts) if text and not text.isascii()]
    return _holding(ascii_texts, _as_bytes) | _holding(others, _in_plain_forms)


def _holding(
    texts: Sequence[tuple[int, str]], as_array: Callable[[str], NDArray[np.uint8]]
) -> set[int]:
    """The places of the texts that have a sign, each given with its place.

    Args:
        as_array: makes an array of the texts, `(characters,)`.
    """
    data = as_array(f"{_EDGE}{_END.join([text for _, text in texts])}{_EDGE}")
    ends = len(_EDGE) + np.cumsum([len(text) + 1 for _, text in texts], dtype=np.int64)
    # All that is looked for lies between `.` and `@`, and little else does: one look finds these.
    some = np.flatnonzero(data - np.uint8(ord(".")) <= ord("@") - ord("."))
    signs = data[some]
    colons, dots = some[signs == ord(":")], some[signs == ord(".")]
    found = [some[signs == ord("@")], _webs(data, colons, dots)]
    found.append(_numbers(data, some[_is_digit(signs)]))
    signed = np.searchsorted(ends, np.concatenate(found), side="right")
    counts = np.bincount(np.searchsorted(ends, colons, side="right"))
    numbers = np.union1d(signed, np.flatnonzero(counts >= _COLONS))
    return {texts[number][0] for number in numbers.tolist()}


def _as_bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _in_plain_forms(text: str) -> NDArray[np.uint8]:
    """Each character as the one of ASCII that it is a form of, and any other one as `~`."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _FORMS[np.minimum(codes, len(_FORMS) - 1)]


def _webs(data: NDArray[np.uint8], colons: Places, dots: Places) -> Places:
    """Where `://` or `::` stands, or `www.` in capitals or not."""
    after, second = data[colons + 1], data[colons + 2]
    of_colons = colons[((after == ord("/")) & (second == ord("/"))) | (after == ord(":"))]
    for back in (1, 2, 3):
        dots = dots[data[dots - back] | 32 == ord("w")]
    return np.concatenate([of_colons, dots])


def _numbers(data: NDArray[np.uint8], digits: Places) -> Places:
    """Where eight digits follow each other, with nothing else than may stand between them.

    Also where two digits have a dot between them, and three come after a capital and before one.
    """
    dotted = digits[(data[digits + 1] == ord(".")) & _is_digit(data[digits + 2])]
    threes = digits[:-2][digits[2:] - digits[:-2] == 2]
    passports = threes[_is_capital(data[threes - 1]) & _is_capital(data[threes + 3])]
    between = np.diff(digits) - 1
    follows = np.ones(len(between), dtype=np.bool_)
    for ahead in range(1, _LOOKED_AT + 1):
        follows &= (between < ahead) | _BETWEEN[data[digits[:-1] + ahead]]
    count = np.concatenate([[0], np.cumsum(follows)])
    starts = np.flatnonzero(count[_DIGITS - 1 :] - count[: 1 - _DIGITS] == _DIGITS - 1)
    return np.concatenate([dotted, passports, digits[starts]])


def _is_digit(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (data >= ord("0")) & (data <= ord("9"))


def _is_capital(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (data >= ord("A")) & (data <= ord("Z"))
