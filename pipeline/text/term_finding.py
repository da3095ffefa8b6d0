"""Finds words for groups of people in texts, and exchanges them for words for another group.

A word is found whole and in any case; a Korean one also with its particles, which take the form that the new
word asks for; a word in Han letters, kana or another script without blanks also inside a text. In English
`a` and `an` follow the new word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.term_lists import Groups
from pipeline.text.identity_terms import Kind, Term
from pipeline.text.particles import ENDINGS, fitted

_HANGUL = re.compile(r"[가-힣]")
_WITHOUT_BLANKS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"\w+")
_WORD_FOLLOWS = re.compile(r"\s+\w")
_ARTICLE = re.compile(r"(?<!\w)(an?)(?=\s+\Z)", re.IGNORECASE)
_SPOKEN_WITH_A_CONSONANT = ("eu", "uni")
_ENGLISH = "English"


@dataclass(frozen=True)
class _Place:
    """The place of a word in the lists of its kind."""

    group: int
    word: int


class _KindFinder:
    """Finds and exchanges the words of one kind."""

    def __init__(self, kind: Kind, groups: Groups) -> None:
        self.kind, self._groups = kind, [*groups.items()]
        self._places: dict[str, list[_Place]] = {}
        for group, (_, words) in enumerate(self._groups):
            for number, word in enumerate(words):
                self._places.setdefault(word.lower(), []).append(_Place(group, number))
        self._pattern = _pattern(self._places)

    @property
    def words(self) -> list[str]:
        """All words, in lower case."""
        return [*self._places]

    def found(self, text: str) -> set[Term]:
        """The words of the kind that a text holds."""
        return {self._term(match["word"].lower()) for match in self._pattern.finditer(text)}

    def swapped(self, text: str) -> str | None:
        """The text with every word of the kind exchanged; None where it has none."""
        done, at = "", 0
        for match in self._pattern.finditer(text):
            word = self._counterpart(match["word"].lower(), text, match.end("word"))
            done += text[at : match.start()]
            if self.kind.language == _ENGLISH:
                done = _with_article(done, word)
            done += _in_case_of(match["word"], word) + fitted(match["ending"] or "", word)
            at = match.end()
        return done + text[at:] if at else None

    def _term(self, word: str) -> Term:
        place = self._places[word][0]
        group, words = self._groups[place.group]
        return Term(self.kind, group, words[place.word])

    def _counterpart(self, word: str, text: str, end: int) -> str:
        """The word in the same place of the next group.

        One that stands twice in its list (`her` for `his` and for `him`) is the first where a word follows,
        and else the last.
        """
        places = self._places[word]
        place = places[0 if _WORD_FOLLOWS.match(text, end) else -1]
        return self._groups[(place.group + 1) % len(self._groups)][1][place.word]


class TermFinder:
    """Finds words of several kinds, in texts of any language."""

    def __init__(self, kinds: Mapping[Kind, Groups]) -> None:
        self._attached: list[tuple[re.Pattern[str], _KindFinder]] = []
        self._by_first_word: dict[str, list[_KindFinder]] = {}
        for finder in (_KindFinder(kind, groups) for kind, groups in kinds.items()):
            attached = [word for word in finder.words if _is_attached(word)]
            if attached:
                self._attached.append((re.compile(_any_of(attached)), finder))
            for word in {_first_word(word) for word in finder.words if word not in attached}:
                self._by_first_word.setdefault(word, []).append(finder)

    def found(self, text: str) -> set[Term]:
        """The words for groups of people that a text holds."""
        return {term for finder in self._likely(text) for term in finder.found(text)}

    def swapped(self, *texts: str) -> dict[Kind, list[str]]:
        """Kind → the texts with every word of the kind exchanged; without the kinds that they do not hold."""
        likely = {finder.kind: finder for text in texts for finder in self._likely(text)}
        found = {kind: [finder.swapped(text) for text in texts] for kind, finder in likely.items()}
        return {
            kind: [text if new is None else new for text, new in zip(texts, news, strict=True)]
            for kind, news in sorted(found.items())
            if any(new is not None for new in news)
        }

    def _likely(self, text: str) -> Sequence[_KindFinder]:
        """The finders of the kinds that a text may hold: none for most texts, which is quick to see."""
        words = _WORD.findall(text.lower())
        held = self._by_first_word.keys() & words
        likely = {finder for word in held for finder in self._by_first_word[word]}
        if not text.isascii():
            likely |= {finder for pattern, finder in self._attached if pattern.search(text)}
        return [*likely]


def _pattern(words: Sequence[str] | Mapping[str, object]) -> re.Pattern[str]:
    """A pattern of any of the words, the longest first; group `ending` holds what a Korean one has after it."""
    longest = sorted(words, key=len, reverse=True)
    korean = [word for word in longest if _HANGUL.search(word)]
    joined = [word for word in longest if _is_attached(word) and word not in korean]
    others = [word for word in longest if word not in {*korean, *joined}]
    # A name may stand in one alternative only: the words are told apart by what must stand around them.
    parts = []
    if korean:
        parts.append(rf"(?<!\w)(?:{_any_of(korean)})(?={ENDINGS.pattern}(?!\w))")
    if others:
        parts.append(rf"(?<!\w)(?:{_any_of(others)})(?!\w)")
    if joined:
        parts.append(_any_of(joined))
    ending = rf"(?P<ending>(?<=[가-힣]){ENDINGS.pattern}(?!\w))?"
    return re.compile(f"(?P<word>{'|'.join(parts)}){ending}", re.IGNORECASE)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(map(re.escape, words))


def _is_attached(word: str) -> bool:
    """Whether a word may have other letters right beside it."""
    return bool(_HANGUL.search(word) or _WITHOUT_BLANKS.search(word))


def _first_word(word: str) -> str:
    match = _WORD.search(word)
    return match[0] if match else word


def _in_case_of(word: str, other: str) -> str:
    """The other word in capitals, or with a first one, where the word is so."""
    if len(word) > 1 and word.isupper():
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


def _with_article(before: str, word: str) -> str:
    """The text before a word; an `a` or `an` at its end as the word asks for."""
    open_ = word[0].lower() in "aeiou" and not word.lower().startswith(_SPOKEN_WITH_A_CONSONANT)
    return _ARTICLE.sub(lambda article: article[0][0] + ("n" if open_ else ""), before)
