"""Says when a corpus needs `prepare.sentence_ends: kiwipiepy`, since many sentences end without a mark."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.sections import PrepareParams
from pipeline.data.trial import Change
from pipeline.text.korean_sentences import INSTALL, KIWI, MARKS, is_installed, unmarked_share

_MANY = 0.2
"""Share of the texts with such a sentence from which the change is worth it."""
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEnds:
    """A change of where sentences end.

    Attributes:
        install: the command that installs what it takes; empty where that is there.
    """

    change: Change
    install: str


def wanted_ends(texts: Sequence[str], prepare: PrepareParams) -> WantedEnds | None:
    """The change by which Korean sentences of a corpus also end without marks; None where few do so."""
    share = unmarked_share(texts[:_LOOKED_AT])
    if share < _MANY or prepare.sentence_ends != MARKS:
        return None
    why = f"{share:.0%} of the corpus texts end a sentence without a mark"
    change = Change(key="prepare.sentence_ends", value=KIWI, why=why)
    return WantedEnds(change=change, install="" if is_installed() else INSTALL)
