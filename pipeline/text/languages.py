"""Names the language of texts: by their script and, in Latin letters, by their commonest small words."""

from collections import Counter
from collections.abc import Iterable

from pipeline.text.bare_words import bare_words
from pipeline.text.scripts import likely_language, script_shares

_SMALL_WORDS = {
    "English": "the and of to is in it that this was for with not but are you my on they have a as no",
    "German": "der die das und ist nicht ein eine zu mit auf für sich war aber ich auch sehr den dem",
    "French": "le la les et est une des du que pas dans pour sur avec je il elle très mais ce",
    "Spanish": "el la los las y es una que no en por con para muy pero se lo del mi como",
    "Italian": "il la gli e è una che non di per con molto ma si lo della del sono ho anche",
    "Portuguese": "o a os as e é uma que não em por com para muito mas se do da no na",
    "Dutch": "de het een en is niet van dat in op met voor maar ik ook zijn was te er heel",
}
_SETS = {language: frozenset(small.split()) for language, small in _SMALL_WORDS.items()}
_LATIN, _CHINESE, _JAPANESE = "Latin", "Chinese", "Japanese"
_SURE_WORDS = 3
"""Different small words of one language by which a single text is in it."""
_LEAST_SHARE = 0.05
_ENOUGH_WORDS = 20_000


def language_of(texts: Iterable[str]) -> str:
    """The language of the texts in words, as far as script and small words tell it."""
    some = [*texts]
    shares = script_shares(some)
    if next(iter(shares), None) != _LATIN:
        return likely_language(shares)
    return _by_small_words(some) or likely_language(shares)


def languages_of(texts: Iterable[str]) -> dict[str, int]:
    """Language → how many of the texts are in it, the commonest first.

    A text in Latin letters, or in Han letters alone, that does not tell its language has that of most others.
    """
    some = [*texts]
    scripts = [script_shares([text]) for text in some]
    by_script = Counter(likely_language(shares) for shares in scripts)
    latin = [next(iter(shares), None) == _LATIN for shares in scripts]
    common = _by_small_words(text for text, is_latin in zip(some, latin, strict=True) if is_latin)
    counts: Counter[str] = Counter()
    for text, shares, is_latin in zip(some, scripts, latin, strict=True):
        language = likely_language(shares)
        if is_latin:
            language = _surely(text) or common or language
        elif language == _CHINESE and by_script[_JAPANESE] > by_script[_CHINESE]:
            language = _JAPANESE
        counts[language] += 1
    return dict(counts.most_common())


def _surely(text: str) -> str | None:
    """The language of a text by its small words; None where they are few, or those of two languages."""
    words = {*bare_words(text).split()}
    found = [len(words & small) for small in _SETS.values()]
    first, second = sorted(found, reverse=True)[:2]
    if first < _SURE_WORDS or first <= 2 * second:
        return None
    return [*_SETS][found.index(first)]


def _by_small_words(texts: Iterable[str]) -> str | None:
    """The language of whose small words most are found; None where they are rare."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(bare_words(text).split())
        if counts.total() > _ENOUGH_WORDS:
            break
    found = {
        language: sum(counts[word] for word in small.split())
        for language, small in _SMALL_WORDS.items()
    }
    best = max(found, key=found.__getitem__)
    return best if found[best] > _LEAST_SHARE * max(counts.total(), 1) else None
