"""The page on what new labels changed: rows, agreement, quality and the labels still needed.

The page is whole in itself, and holds no text of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.report.templates import render


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with the ends of its interval; None where it has none."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class AgreementState:
    """How far people agreed as of a build.

    Attributes:
        alpha: Krippendorff's; None where it could not be measured.
        double_rows: rows that two or more people labelled.
        rows: rows that people labelled.
    """

    alpha: Estimate | None
    double_rows: int
    rows: int
    people: int


@dataclass(frozen=True, kw_only=True)
class QualityChange:
    """The quality on the rows of a split that both models answered.

    Attributes:
        difference: after minus before, with its paired interval.
    """

    split: str
    rows: int
    before: float
    after: float
    difference: Estimate

    @property
    def verdict(self) -> str:
        """Whether the interval of the difference leaves 0 out, and on which side."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None or low <= 0 <= high:
            return "no difference shown"
        return "better" if low > 0 else "worse"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """The labels that are still needed, as the baseline's learning curve tells.

    Attributes:
        verdict: the baseline's, in words.
        wanted: `min_quality`.
        more: labels still needed for it, with `at_least` and `at_most`; None where that is not known.
        more_before: the same as of the build before.
    """

    verdict: str
    wanted: float | None
    more: int | None
    at_least: int | None
    at_most: int | None
    more_before: int | None


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """How the labelled rows differ from those of the build before.

    Attributes:
        labels: label → rows before and after.
        splits: split → rows before and after.
        relabelled: the commonest changes: label before, label after, rows.
        examples: some rows with another label: id, label before, label after, who gave it.
    """

    before: int
    after: int
    added: int
    removed: int
    moved: int
    relabelled_rows: int
    labels: Mapping[str, tuple[int, int]]
    splits: Mapping[str, tuple[int, int]]
    relabelled: Sequence[tuple[str, str, int]]
    examples: Sequence[tuple[str, str, str, str]]


@dataclass(frozen=True, kw_only=True)
class LabelChanges:
    """The changes from one build to the next that has new labels.

    Attributes:
        before: when the earlier build ended, UTC; empty where these are the first labels.
        after: when this one did.
        votes: new labels of people, those that differ from an earlier one included; `gone`: labels taken back.
        people: published name → new labels.
        others: what else differs from the build before, such as the recipe.
        quality: on the rows that both models answered; empty for the first labels.
        figures: split → quality of the new model on all rows of the split.
    """

    product: str
    metric: str
    before: str
    after: str
    votes: int
    gone: int
    people: Mapping[str, int]
    others: Sequence[str]
    rows: RowChanges
    agreement_before: AgreementState | None
    agreement: AgreementState
    quality: Sequence[QualityChange]
    figures: Mapping[str, Estimate]
    needed: Needed | None


def label_changes_page(changes: LabelChanges) -> str:
    """The page as HTML."""
    quality = [(change, _bar(change.difference, changes.quality)) for change in changes.quality]
    return render("label_changes.html.j2", changes=changes, quality=quality)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The place of an interval of a difference, in percent of the width; 0 is in the middle."""

    start: float
    width: float
    dot: float


def _bar(difference: Estimate, all_changes: Sequence[QualityChange]) -> Bar:
    """The place of an interval on a scale that all of them share."""
    reach = max((abs(end) for each in all_changes for end in _ends(each.difference)), default=0.0)
    scale = 48 / (reach or 1.0)
    low, high = _ends(difference)
    return Bar(
        start=50 + scale * low,
        width=max(scale * (high - low), 0.5),
        dot=50 + scale * difference.value,
    )


def _ends(estimate: Estimate) -> tuple[float, float]:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return low, high
