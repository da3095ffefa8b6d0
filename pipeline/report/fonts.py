"""Chooses fonts for a figure whose labels are written in letters that matplotlib's own font lacks."""

import warnings

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
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
    """Sets the fonts of every text in a figure; returns the letters that no font has, sorted."""
    with warnings.catch_warnings():  # of letters that the font so far lacks
        warnings.simplefilter("ignore", UserWarning)
        figure.draw_without_rendering()  # makes the labels of ticks
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    letters = {letter for text in texts for letter in text.get_text() if letter.isprintable()}
    families, missing = list[str](), letters
    for family, file in _families():
        if not missing:
            break
        known = get_font(file).get_charmap()
        if found := {letter for letter in missing if ord(letter) in known}:
            families.append(family)
            missing -= found
    for text in texts:
        text.set_fontfamily([_OWN, *(family for family in families if family != _OWN)])
    return "".join(sorted(missing))


def _families() -> list[tuple[str, str]]:
    """Upright fonts of this machine, name and file: matplotlib's own, good ones, then all others by name."""
    there = {
        font.name: str(font.fname)
        for font in fontManager.ttflist
        if (font.style, font.stretch) == ("normal", "normal") and font.weight in (400, "normal")
    }
    first = [name for name in (_OWN, *_OTHERS) if name in there]
    others = sorted(name for name in there if name not in first and "resort" not in name.lower())
    return [(name, there[name]) for name in (*first, *others)]
