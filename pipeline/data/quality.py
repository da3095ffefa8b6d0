"""What rows must be like: one check after another, each taking rows out with a reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.params import ValidateParams
from pipeline.core.progress import track
from pipeline.data.duplicates import groups, near_duplicates
from pipeline.data.records import Record, record_id
from pipeline.text.cleaning import bare_words, clean
from pipeline.text.containment import LEAK_WORDS, containing, equal_pairs

EMPTY, SHORT, LONG = "empty", "too short", "too long"
COPY, CONFLICT = "copy of another row", "copies with different labels"
HOLDS, HELD = "holds a labelled text", "is part of a labelled text"


@dataclass(frozen=True, slots=True)
class Reject:
    """A record as it came, and why it was taken out."""

    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Records that passed, and rejects."""

    records: list[Record]
    rejects: list[Reject]


def check_labelled(records: Sequence[Record], params: ValidateParams) -> Checked:
    """Clean labelled records, take out the unusable and the copies, number near copies by cluster."""
    kept, rejects = _usable(records, params)
    kept, words, copies = _without_copies(kept)
    firsts = near_duplicates(words, similarity=params.near_duplicate_similarity)
    # Records are ordered by id, so the first of a cluster has its smallest id.
    kept = [
        replace(record, cluster=kept[first].id) for record, first in zip(kept, firsts, strict=True)
    ]
    return Checked(kept, rejects + copies)


def check_corpus(
    records: Sequence[Record], labelled: Sequence[Record], params: ValidateParams
) -> Checked:
    """Clean corpus records; take out the unusable, copies, and what shares a labelled text."""
    kept, rejects = _usable(records, params)
    kept, corpus, copies = _without_copies(kept)
    labels = [bare_words(record.text) for record in labelled]
    held = [(row, inside) for inside, row in containing(labels, corpus)]
    leaks = {row: HELD for row, _ in held}
    leaks |= {row: HOLDS for row, _ in [*containing(corpus, labels), *equal_pairs(corpus, labels)]}
    return Checked(
        [record for row, record in enumerate(kept) if row not in leaks],
        rejects + copies + [Reject(kept[row], reason) for row, reason in sorted(leaks.items())],
    )


def _usable(records: Sequence[Record], params: ValidateParams) -> tuple[list[Record], list[Reject]]:
    """Cleaned records of the right length, first occurrences before later ones, then by id."""
    kept, rejects = [], []
    for record in track(sorted(records, key=_first_then_id), "validate  cleaning", len(records)):
        text = clean(record.text)
        if reason := _length_fault(text, params):
            rejects.append(Reject(record, reason))
        else:
            kept.append(replace(record, text=text))
    return kept, rejects


def _first_then_id(record: Record) -> tuple[bool, str]:
    # A row that comes a second time must not take the first one's place: splits would move.
    return record.id != record_id(record.source, record.text), record.id


def _length_fault(text: str, params: ValidateParams) -> str | None:
    if not any(character.isalnum() for character in text):
        return EMPTY
    if len(text) < params.min_characters:
        return SHORT
    return LONG if len(text) > params.max_characters else None


def _without_copies(records: Sequence[Record]) -> tuple[list[Record], list[str], list[Reject]]:
    """One record of each set of exact copies, ordered by id, and its bare words.

    Copies whose labels differ are all taken out: nobody knows which label is right.
    """
    told = track(records, "validate  comparing", len(records))
    words = [bare_words(record.text) for record in told]
    kept, rejects = [], []
    for rows in groups(words):
        first, *others = (records[row] for row in rows)
        if any(other.label != first.label for other in others):
            rejects += [Reject(record, CONFLICT) for record in (first, *others)]
        else:
            kept.append((first, words[rows[0]]))
            rejects += [Reject(record, COPY) for record in others]
    kept.sort(key=lambda pair: pair[0].id)
    return [record for record, _ in kept], [text for _, text in kept], rejects


def counts_by_reason(rejects: Sequence[Reject]) -> dict[str, int]:
    """How many rows each reason took out, the commonest first."""
    return dict(Counter(reject.reason for reject in rejects).most_common())


def shares(total: int, rejects: Sequence[Reject]) -> dict[str, float]:
    """Shares of all labelled rows: `copies`, and `rejected` for every other reason."""
    copies = sum(reject.reason == COPY for reject in rejects)
    return {
        "rejected": round((len(rejects) - copies) / total, 6),
        "copies": round(copies / total, 6),
    }


def label_counts(records: Sequence[Record], labels: Sequence[str]) -> dict[str, int]:
    """Rows of each label of the product."""
    counts = Counter(record.label for record in records)
    return {label: counts[label] for label in labels}


def check_limits(
    shares: Mapping[str, float], counts: Mapping[str, int], *, params: ValidateParams, why: str
) -> None:
    """Stop the line where the labelled rows break a limit.

    Args:
        why: what took rows out, for the message.

    Raises:
        DataError: too many rejects or copies; a label missing, rare, or too common.
    """
    _at_most("rejected", shares["rejected"], params.max_reject_share, why)
    _at_most("copies of others", shares["copies"], params.max_duplicate_share, why)
    present = {label: count for label, count in counts.items() if count}
    shown = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
    if len(present) < 2:
        raise DataError(
            f"one class only ({shown})",
            expected="rows of at least two labels",
            next_step="check label_column and label_values of the labelled sources",
        )
    rarest = min(counts, key=lambda label: counts[label])
    if counts[rarest] < params.min_rows_per_label:
        raise DataError(
            f"label {rarest!r} has {counts[rarest]:,} rows ({shown})",
            expected=f"at least {params.min_rows_per_label:,} (validate.min_rows_per_label)",
            next_step=f"add rows of {rarest!r}, or take it out of product.labels",
        )
    commonest = max(counts, key=lambda label: counts[label])
    share = counts[commonest] / sum(counts.values())
    if share > params.max_label_share:
        raise DataError(
            f"label {commonest!r} holds {share:.1%} of the rows ({shown})",
            expected=f"at most {params.max_label_share:.0%} (validate.max_label_share)",
            next_step="add rows of the other labels",
        )


def _at_most(what: str, share: float, limit: float, why: str) -> None:
    if share > limit:
        name = "max_reject_share" if what == "rejected" else "max_duplicate_share"
        raise DataError(
            f"{share:.1%} of the labelled rows are {what} ({why})",
            expected=f"at most {limit:.1%} (validate.{name})",
            next_step=f"correct the source, or raise validate.{name} if you know why it is so",
        )


def summary(total: int, checked: Checked) -> dict[str, Any]:
    """Counts of one table for the report."""
    lengths = sorted(len(record.text) for record in checked.records)
    return {
        "rows_in": total,
        "rows_out": len(checked.records),
        "rejects": counts_by_reason(checked.rejects),
        "characters": {
            name: lengths[min(int(share * len(lengths)), len(lengths) - 1)] if lengths else 0
            for name, share in (("least", 0), ("median", 0.5), ("p95", 0.95), ("most", 1))
        },
    }


NOTE = (
    f"Labelled texts of fewer than {LEAK_WORDS} words are common phrases: they count as a leak "
    "only when a corpus text equals them."
)
