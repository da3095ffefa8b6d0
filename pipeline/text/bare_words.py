"""The bare words of a text, by which copies are found."""

import re
import unicodedata

_WORD = re.compile(r"\w+")


def bare_words(text: str) -> str:
    """The case-folded words of a text, joined by spaces: equal for copies that differ in form."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
