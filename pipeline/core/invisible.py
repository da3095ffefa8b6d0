"""Takes out characters that show nothing: marks of direction, fillers, idle joiners and selectors.

Two texts that look alike should be alike to a model, and a text that looks empty should be empty. Unicode
calls these characters Default_Ignorable. Most are always taken out. A joiner, a variation selector or a
tag character stays where it changes what is seen: in an emoji, in a flag, between letters of a script that joins.
"""

import re
from collections.abc import Iterator, Mapping
from unicodedata import combining

_RANGES = (
    *((0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180E, 0x180E), (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
    *((0xFEFF, 0xFEFF), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    *((0xE0000, 0xE001F), (0xE0080, 0xE00FF), (0xE01F0, 0xE0FFF)),
)
IGNORED: Mapping[int, str | None] = {
    **{code: None for first, last in _RANGES for code in range(first, last + 1)},
    # These two are as wide as a letter, and stand for a space in Korean texts.
    **dict.fromkeys((0x3164, 0xFFA0), " "),
}
"""Code point → what a text has in its place, for `str.translate`."""

SELECTORS = frozenset(
    [
        *(*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10)),
        *(*range(0xE0020, 0xE0080), *range(0xE0100, 0xE01F0)),
    ]
)
"""Code points that change how the character before them looks, or spell a flag, and show nothing alone."""

# Characters that have a form as an emoji, or are one.
_EMOJI = r"#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_MONGOLIAN = r"\u1820-\u18aa"
# Arabic, its relatives, and the scripts of South and South-East Asia.
_JOINING = (
    r"\u0600-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\ua95f\ua980-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    r"\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_HIDDEN = re.compile(
    r"[\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]+"
)
_SHOWN = re.compile(
    r"\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"  # the flag of a region
    rf"|[{_EMOJI}][\ufe0e\ufe0f]?\u200d?"
    rf"|[{_HAN}][\ufe00-\ufe02\U000e0100-\U000e01ef]"
    rf"|[{_MONGOLIAN}][\u180b-\u180d\u180f]?[\u200c\u200d]?"
    rf"|[{_JOINING}][\u200c\u200d]"
)
_JOINED = re.compile(rf"[{_JOINING}][\u200c\u200d]")


def without_idle_joiners(text: str, *, past_marks: bool = False) -> str:
    """The text without the joiners, selectors and tag characters that change nothing where they stand.

    Args:
        past_marks: whether a joiner after combining marks is judged by the letter that bears them, and not by
            the last mark: which one is the last may change where a joiner between them goes.
    """
    return text if text.isascii() else "".join(_shown(text, past_marks=past_marks))


def _shown(text: str, *, past_marks: bool) -> Iterator[str]:
    start, bearer = 0, ""
    for run in _HIDDEN.finditer(text):
        if past_marks:
            bearer = next(
                (c for c in reversed(text[start : run.start()]) if not combining(c)), bearer
            )
        if past_marks and run.start() and combining(text[run.start() - 1]):
            kept = run.start() + bool(_JOINED.match(bearer + text[run.start()]))
        else:
            # What a run does depends on the one character before it.
            shown = _SHOWN.match(text, run.start() - 1, run.end()) if run.start() else None
            kept = run.start() if shown is None else shown.end()
        yield text[start:kept]
        start = run.end()
    yield text[start:]
