"""Checks lists of words for groups of people: language → kind → group → words, as a product file names them."""

from collections import Counter
from collections.abc import Mapping, Sequence

Groups = Mapping[str, Sequence[str]]
"""Group → its words. Words at one place of the groups of a kind are exchanged for each other."""
TermLists = Mapping[str, Mapping[str, Groups]]
"""Language → kind → groups. A kind without groups is one that is not looked for."""


def term_lists_fault(lists: TermLists) -> str | None:
    """Why words of these lists cannot be exchanged, in words; None where they can."""
    kinds = [
        (language, kind, groups) for language in lists for kind, groups in lists[language].items()
    ]
    for language, kind, groups in kinds:
        if groups and (fault := _fault(groups)):
            return f"{language}, {kind}: {fault}"
    return None


def _fault(groups: Groups) -> str | None:
    if len(groups) < 2:
        return "at least two groups, for words are exchanged between them"
    if len({len(words) for words in groups.values()}) > 1:
        counts = ", ".join(f"{group} {len(words)}" for group, words in groups.items())
        return (
            f"as many words in each group, each in the place of its counterpart; there are {counts}"
        )
    if not all(
        words and all(word.strip() == word != "" for word in words) for words in groups.values()
    ):
        return "a word at each place, without blanks around it"
    owners = Counter(word for words in groups.values() for word in {each.lower() for each in words})
    twice = [word for words in groups.values() for word in words if owners[word.lower()] > 1]
    return f"{twice[-1]!r} in one group only" if twice else None
