"""Finds the votes that a change of the guide puts in question, dearest first.

A vote was given *under the old rule* where it stands, has a label that the change is about (`changed_labels`), and
carries a version of the guide that says something else about it than the new one. It is *near the change* where,
besides, its person flagged or commented on the row, or people disagree on the row. Votes with any label are near,
too, where their version reads otherwise and their text has the words of the change: the cosine of its TF-IDF vector
and that of the change, over the words that were added or removed, is .25 or more. English words that say little,
such as "the" and "is", count only where the change has no others.
"""

import difflib
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal
from unicodedata import normalize

from pipeline.annotation.guide_text import changed_labels, rule_text

NEAR = 0.25
"""Least cosine of a text and a change."""
Reason = Literal["noted", "disagreement", "words"]
LineOfDiff = tuple[Literal["same", "added", "removed", "gap"], str]

_AROUND = 2
_SAY_LITTLE = frozenset(
    [
        "a",
        "about",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "more",
        "my",
        "of",
        "on",
        "one",
        "or",
        "our",
        "she",
        "so",
        "some",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "too",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""Words that most texts have; negations are not among them."""
_WORD = re.compile(r"\w+")
_PIECES = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenVote:
    """A vote that stands, as the change of a guide sees it.

    Attributes:
        person: published name.
        answer: the labels given, or of a regression the number.
        labels: labels that the answer is about: of a regression, the name of the number.
        guide: hash of the version that the person could read then; None where there was none.
        noted: whether the person flagged or commented on the row.
    """

    person: str
    row: str
    uid: str
    answer: tuple[str, ...] | float
    labels: tuple[str, ...]
    guide: str | None
    noted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NearVote:
    """A vote near a change of the guide.

    Attributes:
        reason: the first of these that holds: its person noted something, people disagree, the text has the words.
        cosine: of the row's text and the change, 0 to 1.
    """

    vote: GivenVote
    reason: Reason
    cosine: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change of the guide, and the votes that it puts in question.

    Attributes:
        labels: that it is about.
        old: how many votes were given under the old rule, near ones included.
        near: those near the change, dearest first: noted rows, disagreements, then the nearest texts.
    """

    labels: tuple[str, ...]
    old: int
    near: tuple[NearVote, ...]


def change_of(
    votes: Sequence[GivenVote],
    *,
    before: str,
    after: str,
    labels: Sequence[str],
    text_of_version: Callable[[str | None], str],
    text_of_row: Callable[[str], str | None],
) -> Change:
    """The change from one text of the guide to another, with the votes that it puts in question.

    Args:
        votes: all that stand.
        labels: of the product.
        text_of_version: hash → text of the guide; empty for none.
        text_of_row: id → text; None for a row that the data do not have, whose votes are left out.
    """
    about = changed_labels(before, after, labels)

    @cache
    def altered(version: str | None) -> frozenset[str]:
        return frozenset(changed_labels(text_of_version(version), after, labels)) & {*about}

    open_votes = [vote for vote in votes if altered(vote.guide)]
    texts = {row: text for row in {vote.row for vote in open_votes} if (text := text_of_row(row))}
    open_votes = [vote for vote in open_votes if vote.row in texts]
    old = [vote for vote in open_votes if altered(vote.guide).intersection(vote.labels)]
    cosines = nearness(texts, changed_words(rule_text(before, about), rule_text(after, about)))
    disputed, olds = _disputed(votes), {vote.uid for vote in old}
    near: list[NearVote] = []
    for vote in open_votes:
        cosine = cosines.get(vote.row, 0.0)
        is_old, has_words = vote.uid in olds, cosine >= NEAR
        reason: Reason | None = "words" if has_words else None
        if is_old and vote.row in disputed:
            reason = "disagreement"
        if is_old and vote.noted:
            reason = "noted"
        if reason:
            near.append(NearVote(vote=vote, reason=reason, cosine=cosine))
    near.sort(key=_dearest)
    by_words_alone = sum(each.vote.uid not in olds for each in near)
    return Change(labels=about, old=len(old) + by_words_alone, near=tuple(near))


def changed_words(before: str, after: str) -> frozenset[str]:
    """The words that one of two texts has more often than the other."""
    one, other = Counter(words(before)), Counter(words(after))
    return frozenset((one - other) | (other - one))


def words(text: str) -> list[str]:
    """The words of a text in small letters; of Hangul, Han letters and kana, whose words have endings, pieces of two."""
    plain = normalize("NFC", text).casefold()
    whole: list[str] = _WORD.findall(plain)
    if not _PIECES.search(plain):
        return whole
    found: list[str] = []
    for word in whole:
        is_cut = len(word) > 1 and _PIECES.search(word)
        found += [word[n : n + 2] for n in range(len(word) - 1)] if is_cut else [word]
    return found


def nearness(texts: dict[str, str], wanted: Collection[str]) -> dict[str, float]:
    """Cosine of each text with all of the wanted words, over these words, weighted by TF-IDF among the texts.

    The weights are those of scikit-learn's TfidfVectorizer, which takes seconds and 60 MB to import into a server.

    Args:
        texts: name → text.
    """
    telling = {word for word in wanted if word not in _SAY_LITTLE} or {*wanted}
    counts = {name: Counter(w for w in words(text) if w in telling) for name, text in texts.items()}
    within = Counter(word for found in counts.values() for word in found)
    weights = {word: math.log((1 + len(texts)) / (1 + within[word])) + 1 for word in telling}
    change = math.hypot(*weights.values())

    def cosine(found: Counter[str]) -> float:
        length = math.hypot(*(count * weights[word] for word, count in found.items()))
        shared = math.fsum(count * weights[word] ** 2 for word, count in found.items())
        return shared / (length * change) if length else 0.0

    return {name: cosine(found) for name, found in counts.items()}


def line_diff(before: str, after: str) -> list[LineOfDiff]:
    """The lines that were added and removed, with two lines around each, and gaps where others are left out."""
    one, other = (text.replace("\r\n", "\n").split("\n") for text in (before, after))
    found: list[LineOfDiff] = []
    for number, group in enumerate(
        difflib.SequenceMatcher(None, one, other, autojunk=False).get_grouped_opcodes(_AROUND)
    ):
        if number:
            found.append(("gap", ""))
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                found += [("same", line) for line in one[start:end]]
                continue
            found += [("removed", line) for line in one[start:end]]
            found += [("added", line) for line in other[new_start:new_end]]
    return found


def _disputed(votes: Iterable[GivenVote]) -> frozenset[str]:
    """The rows to which people gave different answers."""
    answers: dict[str, set[object]] = {}
    for vote in votes:
        given = vote.answer if isinstance(vote.answer, float) else frozenset(vote.answer)
        answers.setdefault(vote.row, set()).add(given)
    return frozenset(row for row, found in answers.items() if len(found) > 1)


_ORDER: tuple[Reason, ...] = ("noted", "disagreement", "words")


def _dearest(near: NearVote) -> tuple[int, float, str, str]:
    return _ORDER.index(near.reason), -near.cosine, near.vote.row, near.vote.person
