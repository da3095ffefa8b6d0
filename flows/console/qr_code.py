"""Draws a text, such as a link, as a QR code in a terminal, for a phone's camera."""

import io

import segno

BLOCKS = "█▀▄ "
"""A character holds two modules, one above the other: both light, the upper light, the lower light, none light."""
_QUIET_ZONE = 2
_WHITE_ON_BLACK = "\x1b[97;40m"
_USUAL = "\x1b[0m"


def qr_code(text: str, *, colours: bool) -> str:
    """Returns the lines of the text's QR code, as `BLOCKS`.

    Args:
        colours: whether to set white on black, so that a terminal's own colours do not invert it.
    """
    drawn = io.StringIO()
    segno.make_qr(text).terminal(drawn, border=_QUIET_ZONE, compact=True)
    lines = drawn.getvalue().splitlines()
    return "\n".join(f"{_WHITE_ON_BLACK}{line}{_USUAL}" if colours else line for line in lines)


def can_be_drawn(encoding: str | None) -> bool:
    """Returns whether a stream of the encoding has the characters."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
