"""Counts the scripts that texts are written in, by the names that Unicode gives to their letters."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

_NAMES = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana"}
_LANGUAGES = {
    "Hangul": "Korean",
    "Kana": "Japanese",
    "Han": "Chinese",
    "Cyrillic": "Russian or another language in Cyrillic",
    "Latin": "a language in Latin letters",
    "Greek": "Greek",
    "Thai": "Thai",
    "Hebrew": "Hebrew",
    "Lao": "Lao",
    "Khmer": "Khmer",
    "Georgian": "Georgian",
    "Armenian": "Armenian",
    "Tamil": "Tamil",
    "Telugu": "Telugu",
    "Gujarati": "Gujarati",
    "Myanmar": "Burmese or another language in Myanmar letters",
    "Devanagari": "Hindi or another language in Devanagari",
    "Arabic": "Arabic or another language in Arabic letters",
}
_SHARE_OF_KANA = 0.05


def script_shares(texts: Iterable[str]) -> dict[str, float]:
    """Script → share of the letters of the texts, the commonest first; empty without letters."""
    counts: Counter[str] = Counter()
    for text in texts:
        for letter, count in Counter(text).items():
            if letter.isalpha():
                counts[_script(letter)] += count
    total = counts.total()
    return {name: count / total for name, count in counts.most_common()}


def likely_language(shares: dict[str, float]) -> str:
    """The language as far as scripts alone tell it, in words."""
    if not shares:
        return "no letters"
    first = "Kana" if shares.get("Kana", 0.0) >= _SHARE_OF_KANA else next(iter(shares))
    return _LANGUAGES.get(first, f"a language in {first} letters")


@cache
def _script(letter: str) -> str:
    """`Latin`, `Hangul`, `Cyrillic`, …: the first word of the letter's name."""
    first = unicodedata.name(letter, "unnamed").split()[0]
    return _NAMES.get(first, first.capitalize())
