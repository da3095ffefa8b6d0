"""A rule of a few words, found greedily: where it is good enough, no model is needed.

"If a text holds one of these words, it has this label": one such rule for one label, every other text
having one other label; where a text may have several labels, one rule for each of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from pipeline.models.linear import Inputs, LinearTask, Table
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL

MOST_WORDS = 5
_LEAST_TEXTS = 2
_WORD = re.compile(r"\w+")
# Thai to Khmer, kana, Han and Hangul: no blanks between words, or particles at their ends.
_JOINED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_PIECES = (2, 3, 4)


@dataclass(frozen=True)
class Rule:
    """The number of a label, and the words of which one is enough for it."""

    label: int
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KeywordRules:
    """Rules of words for one label, or for each of several that a text may have.

    Attributes:
        otherwise: number of the label of all other texts; None where they have no label.
        labels: how many labels the product has.
    """

    rules: tuple[Rule, ...]
    otherwise: int | None
    labels: int

    def scores(self, inputs: Inputs) -> Scores:
        """1 for each label that a text gets, else 0, `(rows, labels)`."""
        scores = np.zeros((len(inputs), self.labels))
        for row, text in enumerate(inputs):
            held = words_held(text)
            given = [rule.label for rule in self.rules if not held.isdisjoint(rule.words)]
            if not given and self.otherwise is not None:
                given = [self.otherwise]
            scores[row, given] = 1.0
        return scores


def words_held(text: str | Sequence[str]) -> set[str]:
    """The words of a text, or of both texts of a pair, in lower case.

    A word of a script that joins words, or particles to words, counts by its pieces too.
    """
    both = text if isinstance(text, str) else " ".join(text)
    words = set(_WORD.findall(both.lower()))
    for word in [word for word in words if _JOINED.search(word)]:
        for length in _PIECES:
            words.update(word[i : i + length] for i in range(len(word) - length + 1))
    return words


def find_rules(
    inputs: Inputs, targets: Targets, task: LinearTask, quality: Callable[[Targets, Scores], float]
) -> KeywordRules | None:
    """The best rules of at most five words a label; None for numbers, or where no word tells.

    Args:
        quality: of targets and scores; it chooses the label that words are looked for.
    """
    if task.problem.name not in (CLASSIFICATION, MULTI_LABEL):
        return None
    vectorizer = CountVectorizer(analyzer=words_held, binary=True, min_df=_LEAST_TEXTS)
    try:
        holds = vectorizer.fit_transform(inputs).tocsc()
    except ValueError:  # no word is in two texts
        return None
    names = vectorizer.get_feature_names_out()

    def rule_for(label: int, gains: NDArray[np.float64]) -> tuple[Rule, ...]:
        words = tuple(str(names[column]) for column in _telling_words(holds, gains))
        return (Rule(label, words),) if words else ()

    if task.problem.name == MULTI_LABEL:
        each = [rule_for(label, 2 * column - 1) for label, column in enumerate(targets.T)]
        found = [KeywordRules(rules=sum(each, ()), otherwise=None, labels=task.labels)]
    else:
        found = [
            KeywordRules(rules=rule_for(label, gains), otherwise=other, labels=task.labels)
            for label, other, gains in _one_label_against(targets[:, 0].astype(np.int64), task)
        ]
    found = [rules for rules in found if rules.rules]
    return max(found, key=lambda rules: quality(targets, rules.scores(inputs)), default=None)


def _one_label_against(
    gold: NDArray[np.int64], task: LinearTask
) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Each label, the commonest other one, and what a row gains by the first in place of the other."""
    counts = np.bincount(gold, minlength=task.labels)
    choices = []
    for label in range(task.labels):
        other = int(np.where(np.arange(task.labels) == label, -1, counts).argmax())
        gains = (gold == label).astype(np.float64) - (gold == other)
        choices.append((label, other, gains))
    return choices


def _telling_words(holds: Table, gains: NDArray[np.float64]) -> list[int]:
    """Columns of the words that gain most, each over those before it.

    Args:
        holds: whether a text holds a word, `(texts, words)`, sparse by columns.
        gains: what each text gains, or loses, if it holds one of them, `(texts,)`.
    """
    left, chosen = gains.copy(), list[int]()
    while len(chosen) < MOST_WORDS:
        sums = left @ holds
        best = int(sums.argmax())
        if sums[best] <= 0:
            break
        chosen.append(best)
        left[holds.indices[holds.indptr[best] : holds.indptr[best + 1]]] = 0.0
    return chosen
