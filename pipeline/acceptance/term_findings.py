"""Counts words for groups of people by label: a model learns that a group is bad where most of its rows are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.core.artifacts.data_reports import LeaningTerm, TermReport
from pipeline.metrics.intervals import proportion_interval
from pipeline.text.identity_terms import Kind
from pipeline.text.term_finding import TermFinder

Key = tuple[Kind, str, str | None]
"""Kind, group, and the word; None for any word of the group."""
TermCounts = dict[Key, tuple[int, Counter[str]]]
"""Group or word → rows that hold it, and how many of them have each label."""

_CONFIDENCE = 0.95
_FAR = 1.25
_FEWEST_ROWS = 10


def count_terms(
    rows: Iterable[tuple[Sequence[str], Sequence[str]]], finder: TermFinder
) -> TermCounts:
    """The rows that name each group, and that hold each of its words.

    Args:
        rows: texts (one, or both of a pair) and labels of each row; they are read one by one.
    """
    counts: TermCounts = {}
    for texts, labels in rows:
        terms = {term for text in texts for term in finder.found(text)}
        keys: set[Key] = {
            (term.kind, term.group, word) for term in terms for word in (term.word, None)
        }
        for key in keys:
            held, by_label = counts.get(key, (0, Counter()))
            by_label.update(labels)
            counts[key] = held + 1, by_label
    return counts


def term_reports(counts: TermCounts, labels: Iterable[str]) -> list[TermReport]:
    """One report for each group that a row names, with the words by which it does."""
    names = [*labels]
    return [
        TermReport(
            language=kind.language,
            kind=kind.name,
            group=group,
            rows=rows,
            labels={name: by_label[name] for name in names},
            words={
                found: counts[key][0]
                for key in sorted(counts, key=_order)
                if key[:2] == (kind, group) and (found := key[2]) is not None
            },
        )
        for (kind, group, word), (rows, by_label) in sorted(
            counts.items(), key=lambda of: _order(of[0])
        )
        if word is None
    ]


def leaning_terms(
    counts: TermCounts, labels: Mapping[str, int], *, total: int
) -> list[LeaningTerm]:
    """Groups and words that are far more frequent under one label than under all, surest first.

    A term leans to a label where its rows have it at least 1.25 times as often as all rows do, at the low end of
    Wilson's 95 % interval. Terms of fewer than ten rows say nothing, and a word that all rows of its group hold is
    told as the group.

    Args:
        labels: label → rows that have it.
        total: all labelled rows.
    """
    found = [
        leaning
        for key in sorted(counts, key=_order)
        for label, rows in labels.items()
        if (key[2] is None or counts[key][0] < counts[(*key[:2], None)][0])
        if rows and (leaning := _leaning(key, counts[key], label, share=rows / total))
    ]
    return sorted(found, key=lambda term: -term.interval[0])


def _leaning(
    key: Key, counted: tuple[int, Counter[str]], label: str, *, share: float
) -> LeaningTerm | None:
    """How much more frequent a term is under a label; None where it is not far more."""
    (kind, group, word), (rows, by_label) = key, counted
    if rows < _FEWEST_ROWS:
        return None
    found = proportion_interval(np.arange(rows) < by_label[label], confidence=_CONFIDENCE)
    if found.low < _FAR * share:
        return None
    return LeaningTerm(
        language=kind.language,
        kind=kind.name,
        group=group,
        word=word,
        label=label,
        rows=rows,
        times=found.value / share,
        interval=[found.low / share, found.high / share],
    )


def _order(key: Key) -> tuple[str, str, str, str]:
    kind, group, word = key
    return kind.language, kind.name, group, word or ""
