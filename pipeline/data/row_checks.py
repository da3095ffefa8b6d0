"""Cleans rows and takes out unusable ones, with a reason: empty, too long, copies, leaks."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.core.artifacts.data_reports import Lengths, RejectShares, TableReport
from pipeline.core.cleaning import clean
from pipeline.core.errors import DataError
from pipeline.core.progress import track
from pipeline.core.sections import ValidateParams
from pipeline.data.duplicates import groups, near_duplicates
from pipeline.data.records import Record, record_id
from pipeline.text.bare_words import bare_words
from pipeline.text.containment import LEAK_WORDS, containing, equal_pairs

EMPTY, SHORT, LONG = "empty", "too short", "too long"
COPY, CONFLICT = "copy of another row", "copies with different labels"
_MAX_HYPOTHESES = 20
CONTAINS, CONTAINED = "holds a labelled text", "is part of a labelled text"
# Patterns find most personal data, not all; the data card says so.
_PERSONAL = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"),
    "url": re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE),
    "phone": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}(?!\w)"
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The records that passed the checks; and the others, as collect read them or cleaned."""

    records: list[Record]
    rejects: list[Record]


def check_labelled(records: Sequence[Record], params: ValidateParams) -> Checked:
    """Clean labelled records, take out the unusable and copies, and put near copies into clusters.

    Pairs with the same first text (hypotheses about one premise) are of one cluster: otherwise some
    could be trained on and others tested. A first text with very many pairs is a category, not a
    premise, and makes no cluster.
    """
    kept, rejects = _usable(records, params)
    kept, words, copies = _without_copies(kept)
    same_first = groups(line.partition("\n")[0] for line in words)
    pairs = [rows for rows in same_first if kept[rows[0]].second is not None]
    together = [rows for rows in pairs if len(rows) <= _MAX_HYPOTHESES]
    firsts = near_duplicates(words, similarity=params.near_duplicate_similarity, together=together)
    # Records are ordered by id, so the first of a cluster has its smallest id.
    kept = [
        replace(record, cluster=kept[first].id) for record, first in zip(kept, firsts, strict=True)
    ]
    return Checked(kept, rejects + copies)


def without_copies(records: Sequence[Record], params: ValidateParams) -> Checked:
    """Clean records without the unusable and without copies, as `check_labelled` does at first."""
    kept, rejects = _usable(records, params)
    kept, _, copies = _without_copies(kept)
    return Checked(kept, rejects + copies)


def check_corpus(
    records: Sequence[Record], labelled: Sequence[Record], params: ValidateParams
) -> Checked:
    """Clean corpus records, take out the unusable, copies, and those with a labelled row's text."""
    kept, rejects = _usable(records, params)
    kept, corpus, copies = _without_copies(kept)
    labels = [words for record in labelled for words in _bare(record).split("\n")]
    contained = [(row, inside) for inside, row in containing(labels, corpus)]
    leaks = {row: CONTAINED for row, _ in contained}
    leaks |= {
        row: CONTAINS for row, _ in [*containing(corpus, labels), *equal_pairs(corpus, labels)]
    }
    return Checked(
        [record for row, record in enumerate(kept) if row not in leaks],
        rejects
        + copies
        + [replace(kept[row], reason=reason) for row, reason in sorted(leaks.items())],
    )


def _usable(records: Sequence[Record], params: ValidateParams) -> tuple[list[Record], list[Record]]:
    """The cleaned records of a valid length, and the others as rejects.

    Records come by id, with repeated rows of a source after all others.
    """

    def later_copy_then_id(record: Record) -> tuple[bool, str]:
        # The first of two copies must stay, whatever their ids: otherwise rows would change splits.
        first = record_id(record.source, record.text, second=record.second)
        return record.id != first, record.id

    kept, rejects = [], []
    in_order = sorted(records, key=later_copy_then_id)
    for record in track(in_order, "validate  cleaning", len(records)):
        cleaned = replace(
            record,
            text=clean(record.text),
            second=None if record.second is None else clean(record.second),
        )
        reasons = [reason for text in _texts(cleaned) if (reason := _reason(text, params))]
        if reasons:
            rejects.append(replace(record, reason=reasons[0]))
        else:
            kept.append(cleaned)
    return kept, rejects


def _texts(record: Record) -> list[str]:
    """The text of the record, or both texts of a pair."""
    return [record.text] if record.second is None else [record.text, record.second]


def _bare(record: Record) -> str:
    """The bare words of a record, one line for each text; copies have the same."""
    return "\n".join(bare_words(text) for text in _texts(record))


def _reason(text: str, params: ValidateParams) -> str | None:
    """Why a text is unusable; None where it is not."""
    if not any(character.isalnum() for character in text):
        return EMPTY
    if len(text) < params.min_characters:
        return SHORT
    return LONG if len(text) > params.max_characters else None


def _without_copies(records: Sequence[Record]) -> tuple[list[Record], list[str], list[Record]]:
    """One record of each set of copies, ordered by id; their bare words; and the other copies.

    Copies with different labels are all taken out: it is unknown which label is right.
    """
    words = [_bare(record) for record in track(records, "validate  comparing", len(records))]
    kept, rejects = [], []
    for rows in groups(words):
        first, *others = (records[row] for row in rows)
        if any(other.label != first.label for other in others):
            rejects += [replace(record, reason=CONFLICT) for record in (first, *others)]
        else:
            kept.append((first, words[rows[0]]))
            rejects += [replace(record, reason=COPY) for record in others]
    kept.sort(key=lambda pair: pair[0].id)
    return [record for record, _ in kept], [text for _, text in kept], rejects


def checked_shares(total: int, rejects: Sequence[Record], params: ValidateParams) -> RejectShares:
    """Shares of all labelled rows: copies, and rows rejected for every other reason.

    Raises:
        DataError: a share is above its limit.
    """
    copies = sum(reject.reason == COPY for reject in rejects)
    shares = RejectShares(
        rejected=round((len(rejects) - copies) / total, 6), copies=round(copies / total, 6)
    )
    for what, share, name in (
        ("rejected", shares.rejected, "max_reject_share"),
        ("copies of others", shares.copies, "max_duplicate_share"),
    ):
        limit: float = getattr(params, name)
        if share > limit:
            reasons = _counts_by_reason(rejects).items()
            why = ", ".join(f"{reason}: {count:,}" for reason, count in reasons)
            raise DataError(
                f"{share:.1%} of the labelled rows are {what} ({why})",
                expected=f"at most {limit:.1%} (validate.{name})",
                next_step=f"correct the source, or raise validate.{name} if the rows are fine",
            )
    return shares


def personal_data(records: Sequence[Record]) -> dict[str, int]:
    """Kind of personal data → how many of the records contain it, in either text."""
    texts = ["\n".join(_texts(record)) for record in records]
    return {
        kind: sum(pattern.search(text) is not None for text in texts)
        for kind, pattern in _PERSONAL.items()
    }


def summary(total: int, checked: Checked) -> TableReport:
    """Counts of one table for the report."""
    lengths = sorted(sum(map(len, _texts(record))) for record in checked.records) or [0]
    least, median, p95, most = (
        lengths[min(int(share * len(lengths)), len(lengths) - 1)] for share in (0, 0.5, 0.95, 1)
    )
    return TableReport(
        rows_in=total,
        rows_out=len(checked.records),
        rejects=_counts_by_reason(checked.rejects),
        characters=Lengths(least=least, median=median, p95=p95, most=most),
    )


def _counts_by_reason(rejects: Sequence[Record]) -> dict[str, int]:
    """Reason → how many rows were taken out for it, the commonest first."""
    return dict(Counter(str(reject.reason) for reject in rejects).most_common())


NOTE = (
    f"Labelled texts of fewer than {LEAK_WORDS} words are common phrases: they count as a leak "
    "only when a corpus text equals them."
)
