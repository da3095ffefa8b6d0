"""Measures how far people agree under each version of the guide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.annotation.published_votes import PublishedVote
from pipeline.data.agreement import Agreement, agreement
from pipeline.problem.labelling import BETWEEN_LABELS
from pipeline.problem.problem import Problem

Cells = dict[str, dict[str, str]]
"""Row → person → answer in the form that tables use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuideAgreement:
    """Agreement of the votes that were given under one version of the guide.

    Attributes:
        guide: hash of the version; None for votes that were given where there was no guide.
        votes: how many.
        agreement: of rows that two people or more labelled under this version.
    """

    guide: str | None
    votes: int
    agreement: Agreement

    def as_json(self) -> dict[str, Any]:
        """The figures as the manifest has them."""
        found = self.agreement
        return {
            "guide": self.guide,
            "votes": self.votes,
            "double_rows": found.double_rows,
            "alpha": found.alpha,
            "interval": None if found.interval is None else [*found.interval],
        }


def agreement_by_guide(
    votes: Iterable[PublishedVote], *, problem: Problem, labels: Sequence[str], seed: int
) -> list[GuideAgreement]:
    """Krippendorff's alpha, with its 95 % interval, of each version, in the order in which they were first used.

    A row that one person labelled under an old version and another under a new one counts in neither.

    Args:
        votes: skips among them are passed over.
        seed: of the interval's draws.
    """
    return [
        GuideAgreement(
            guide=guide,
            votes=sum(map(len, cells.values())),
            agreement=agreement(
                [[*given.values()] for given in cells.values()],
                problem=problem,
                labels=labels,
                seed=seed,
            ),
        )
        for guide, cells in votes_by_guide(votes, labels=labels).items()
    ]


def votes_by_guide(
    votes: Iterable[PublishedVote], *, labels: Sequence[str]
) -> dict[str | None, Cells]:
    """Hash of a version of the guide → the votes given under it, in the order in which the versions were first used."""
    found: dict[str | None, Cells] = {}
    first: dict[str | None, tuple[str, str]] = {}
    for vote in votes:
        if vote.skipped:
            continue
        cells = found.setdefault(vote.guide, {})
        cells.setdefault(vote.id, {})[vote.annotator] = stored_cell(vote, labels)
        used = (vote.time or "", vote.guide or "")
        first[vote.guide] = min(first.get(vote.guide, used), used)
    return {guide: found[guide] for guide in sorted(found, key=first.__getitem__)}


def stored_cell(vote: PublishedVote, labels: Sequence[str]) -> str:
    """The answer in the form that tables use; several labels in the order of the product's."""
    if vote.number is not None:
        return repr(float(vote.number))
    return BETWEEN_LABELS.join(label for label in labels if label in vote.labels)
