"""Tells at one look that a text has plain characters alone, which no step of cleaning changes.

Most texts have: blanks, letters, marks and emoji as keyboards write them. The steps for control
characters, joiners and composed forms, which take most of the time of cleaning, are left out for them.
"""

import re
from collections.abc import Iterable

# None of these is a control or an invisible character, a combining mark, or a letter that melts with
# the one before it. Each is its own composed form. The blanks among them are those of ASCII alone.
_PLAIN = (
    "\t\n\r -~\xa1-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20c0\u2190-\u2328\u2460-\u2adb\u3001-\u3029\u3041-\u3096\u309b-\u30ff\u3131-\u3163"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9f\U0001f300-\U0001f6d7\U0001f900-\U0001fa53"
)
_UNUSUAL = re.compile(f"[^{_PLAIN}]")
_PRINTABLE = bytes(range(0x20, 0x7F))
_AT_ONCE = 8192
"""Characters that one search reads: another thread can take its turn between two."""


def is_plain(text: str) -> bool:
    """Whether each character of a text is plain: then the text is in NFC, and all of it is seen."""
    if text.isascii() and not text.encode().translate(None, _PRINTABLE):
        return True
    if len(text) <= _AT_ONCE:
        return _UNUSUAL.search(text) is None
    starts = range(0, len(text), _AT_ONCE)
    return not any(_UNUSUAL.search(text, at, at + _AT_ONCE) for at in starts)


def class_of(codes: Iterable[int]) -> str:
    """`[…]`, the pattern of one of these code points, as ranges."""
    known = {*codes}
    firsts, lasts = known - {code + 1 for code in known}, known - {code - 1 for code in known}
    ends = zip(sorted(firsts), sorted(lasts), strict=True)
    return f"[{''.join(f'{re.escape(chr(first))}-{re.escape(chr(last))}' for first, last in ends)}]"
