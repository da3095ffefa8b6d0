"""Chooses fonts for a figure whose labels are written in letters that matplotlib's own font lacks."""

import warnings
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

_OWN = "DejaVu Sans"
_OTHERS = (
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo"),
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "IPAexGothic", "Hiragino Sans", "Yu Gothic"),
    *("Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei", "Noto Sans Devanagari"),
    *("Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil", "Arial Unicode MS", "Unifont"),
)
"""Fonts that Linux, Windows and macOS have, or a package of fonts brings; the first that has a letter draws it."""


def use_fonts_of_this_machine(figure: Figure) -> str:
    """Sets the fonts of every text in a figure; returns the letters that none of them has, sorted."""
    there = set(fontManager.get_font_names())
    families = [_OWN, *(name for name in _OTHERS if name in there)]
    with warnings.catch_warnings():  # of letters that the font so far lacks
        warnings.simplefilter("ignore", UserWarning)
        figure.draw_without_rendering()  # makes the labels of ticks
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    for text in texts:
        text.set_fontfamily(families)
    letters = {letter for text in texts for letter in text.get_text() if letter.isprintable()}
    return _without_a_font(letters, families)


def _without_a_font(letters: set[str], families: Sequence[str]) -> str:
    missing = letters
    for family in families:
        known = get_font(findfont(FontProperties(family=family))).get_charmap()
        missing = {letter for letter in missing if ord(letter) not in known}
    return "".join(sorted(missing))
