"""Tells a browser what this Python knows of single characters.

Python, the tokenizer and a browser each have Unicode of another version, and rules of their own for blanks,
letters and cases. So the browser asks none of its own where they may differ: it gets tables, which are
made by asking Python about each code point, and the tokenizer (word_tables.py).
"""

import html
import html.entities
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from pipeline.core.invisible import IGNORED

_EMPTY = range(0x40000, 0xE0000)
"""Planes in which Unicode has never had a character: all are read as the first is."""
CODES = (*range(0xD800), *range(0xE000, _EMPTY.start + 1), *range(_EMPTY.stop, sys.maxunicode + 1))
"""The code points that are asked about: every one that a text can have, but for the empty planes."""
_SURROGATES = range(0xD800, 0xE000)
_PLANES, _LAST = range(0x10000, sys.maxunicode, 0x10000), (0xFFFE, 0xFFFF)


@cache
def python_characters() -> dict[str, Any]:
    """The answers that cleaning needs of Python: classes as the inside of a JavaScript `[…]`, entities, and `numbers`.

    `numbers` holds the code points that a reference such as `&#128;` does not stand for, with what it is.
    """

    def those(has: Callable[[str], object]) -> str:
        return class_of(code for code in CODES if has(chr(code)))

    return {
        "space": those(str.isspace),
        "word": those(re.compile(r"\w").match),
        "combining": those(unicodedata.combining),
        "unassigned": those(lambda character: unicodedata.category(character) == "Cn"),
        "ignored": class_of(code for code, seen in IGNORED.items() if not seen),
        "fillers": class_of(code for code, seen in IGNORED.items() if seen),
        "entities": dict(html.entities.html5),
        "numbers": {
            code: found
            for code in (*range(0x10000), *(plane + end for plane in _PLANES for end in _LAST))
            if code not in _SURROGATES and (found := html.unescape(f"&#{code};")) != chr(code)
        },
    }


def class_of(codes: Iterable[int]) -> str:
    r"""The inside of `[…]`, the pattern of one of these code points in JavaScript: `\u{30}-\u{39}`.

    Without any, a class of nothing.
    """
    found = {*codes}
    known = sorted(found | {*_EMPTY} if _EMPTY.start in found else found)
    firsts = [code for at, code in enumerate(known) if at == 0 or known[at - 1] != code - 1]
    lasts = [code for at, code in enumerate(known) if known[at + 1 : at + 2] != [code + 1]]
    ranges = (
        f"\\u{{{first:x}}}" + (f"-\\u{{{last:x}}}" if last > first else "")
        for first, last in zip(firsts, lasts, strict=True)
    )
    return "".join(ranges)
