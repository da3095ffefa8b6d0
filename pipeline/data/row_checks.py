"""Cleans rows and takes out unusable ones, with a reason: empty, too long, copies, leaks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.core.artifacts.data_reports import Lengths, RejectShares, TableReport
from pipeline.core.cleaning import clean
from pipeline.core.errors import DataError
from pipeline.core.letters import has_letter
from pipeline.core.progress import track
from pipeline.core.sections import ValidateParams
from pipeline.data.duplicates import groups, near_duplicates, near_pairs
from pipeline.data.personal_data import redacted, spans
from pipeline.data.personal_kinds import KINDS
from pipeline.data.records import Record, record_id
from pipeline.text.bare_words import bare_words, words_and_symbols
from pipeline.text.containment import LEAK_WORDS, containing, equal_pairs

EMPTY, SHORT, LONG = "empty", "too short", "too long"
COPY, CONFLICT = "copy of another row", "copies with different labels"
REDACT, REFUSE = "redact", "refuse"
_MAX_HYPOTHESES = 20
_NAMED = 5
CONTAINS, CONTAINED = "holds a labelled text", "is part of a labelled text"
_SHOWN_TEXTS, _SHOWN_CHARACTERS = 2, 60
_MERGE_VOTES = (
    "give each text one label: where several people labelled a text, write it once, with the label that"
    " most gave, or put their labels into annotations/ (docs/guide/your-own-data.md#labels); with a"
    " higher limit, every text whose copies have different labels would be left out"
)
NEAR = "is nearly a labelled text"
LEAKS = frozenset({CONTAINS, CONTAINED, NEAR})


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
    """Clean corpus records, take out the unusable, copies, and those with a labelled row's text.

    A corpus text leaks a labelled one that it holds, equals, is part of or is nearly: their similarity
    is `near_duplicate_similarity` or more.
    """
    kept, rejects = _usable(records, params)
    kept, corpus, copies = _without_copies(kept)
    checked = _leaks_apart(kept, corpus, labelled, params)
    return Checked(checked.records, rejects + copies + checked.rejects)


def without_leaks(
    corpus: Sequence[Record], labelled: Sequence[Record], params: ValidateParams
) -> Checked:
    """The rows of a corpus that is checked already, without those that leak one of these labelled texts."""
    return _leaks_apart(corpus, [_bare(record) for record in corpus], labelled, params)


def _leaks_apart(
    kept: Sequence[Record],
    corpus: Sequence[str],
    labelled: Sequence[Record],
    params: ValidateParams,
) -> Checked:
    """The rows that leak no labelled text, and the others with the reason.

    Args:
        corpus: the bare words of the rows.
    """
    labels = [words for record in labelled for words in _bare(record).split("\n")]
    leaks = dict.fromkeys(_near_rows(corpus, labels, params.near_duplicate_similarity), NEAR)
    leaks |= {row: CONTAINED for _, row in containing(labels, corpus)}
    leaks |= {
        row: CONTAINS for row, _ in [*containing(corpus, labels), *equal_pairs(corpus, labels)]
    }
    return Checked(
        [record for row, record in enumerate(kept) if row not in leaks],
        [replace(kept[row], reason=reason) for row, reason in sorted(leaks.items())],
    )


def _near_rows(texts: Sequence[str], labels: Sequence[str], similarity: float) -> list[int]:
    """The rows of the texts that are nearly one of the labelled ones."""
    # At 0 all texts are alike, which says nothing of leaks.
    if similarity == 0:
        return []
    return [row for row, _ in near_pairs(texts, labels, similarity=similarity)]


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
        cleaned = _cleaned(record, params)
        reasons = [reason for text in _texts(cleaned) if (reason := _reason(text, params))]
        if reasons:
            as_told = cleaned if params.personal_data == REDACT else record
            rejects.append(replace(as_told, reason=reasons[0]))
        else:
            kept.append(cleaned)
    return kept, rejects


def _cleaned(record: Record, params: ValidateParams) -> Record:
    """The record with clean texts and the kinds of personal data in them, which are redacted if so asked.

    This comes before the comparisons: texts that differ in a redacted value alone are copies.
    """
    texts = [clean(text) for text in _texts(record)]
    found = [spans(text) for text in texts]
    kinds = {span.kind for places in found for span in places}
    if params.personal_data == REDACT:
        texts = [redacted(text, places) for text, places in zip(texts, found, strict=True)]
    second = texts[1] if record.second is not None else None
    return replace(record, text=texts[0], second=second, personal=tuple(sorted(kinds)))


def _texts(record: Record) -> list[str]:
    """The text of the record, or both texts of a pair."""
    return [record.text] if record.second is None else [record.text, record.second]


def _bare(record: Record) -> str:
    """The bare words of a record, one line for each text; copies have the same."""
    return "\n".join(bare_words(text) for text in _texts(record))


def _reason(text: str, params: ValidateParams) -> str | None:
    """Why a text is unusable; None where it is not."""
    if not has_letter(text):
        return EMPTY
    if len(text) < params.min_characters:
        return SHORT
    return LONG if len(text) > params.max_characters else None


def _without_copies(records: Sequence[Record]) -> tuple[list[Record], list[str], list[Record]]:
    """One record of each set of copies, ordered by id; their bare words; and the other copies.

    Copies have equal bare words. Where their labels differ, the symbols may tell why (`C++` and `C#`,
    `:)` and `:(`): those with other symbols are then no copies. Copies with different labels are all
    taken out: it is unknown which label is right.
    """
    words = [_bare(record) for record in track(records, "validate  comparing", len(records))]
    kept, rejects = [], []
    for rows in groups(words):
        for first, *others in _told_apart([records[row] for row in rows]):
            if any(other.label != first.label for other in others):
                rejects += [replace(record, reason=CONFLICT) for record in (first, *others)]
            else:
                kept.append((first, words[rows[0]]))
                rejects += [replace(record, reason=COPY) for record in others]
    kept.sort(key=lambda pair: pair[0].id)
    return [record for record, _ in kept], [text for _, text in kept], rejects


def _told_apart(records: Sequence[Record]) -> list[list[Record]]:
    """Records with equal bare words in one group; by their symbols where their labels differ."""
    if len({record.label for record in records}) == 1:
        return [[*records]]
    keys = ([words_and_symbols(text) for text in _texts(record)] for record in records)
    return [[records[row] for row in rows] for rows in groups(map(tuple, keys))]


def checked_shares(total: int, rejects: Sequence[Record], params: ValidateParams) -> RejectShares:
    """Shares of all labelled rows: copies, and rows rejected for every other reason.

    Raises:
        DataError: a share is above its limit.
    """
    copies, of = sum(reject.reason == COPY for reject in rejects), max(total, 1)
    shares = RejectShares(
        rejected=round((len(rejects) - copies) / of, 6), copies=round(copies / of, 6)
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
                f"{share:.1%} of the labelled rows are {what} ({why}){_disputed_texts(rejects)}",
                expected=f"at most {limit:.1%} (validate.{name})",
                next_step=_MERGE_VOTES
                if any(reject.reason == CONFLICT for reject in rejects)
                else f"correct the source, or raise validate.{name} if the rows are fine",
            )
    return shares


def _disputed_texts(rejects: Sequence[Record]) -> str:
    """Beginnings of texts whose copies have different labels, for a message; empty without any."""
    texts = {_bare(reject): reject.text for reject in rejects if reject.reason == CONFLICT}
    shown = (redacted(text, spans(text)) for text in texts.values())
    some = [repr(text[:_SHOWN_CHARACTERS]) for text in islice(shown, _SHOWN_TEXTS)]
    return f"; different labels have, for example, {' and '.join(some)}" if some else ""


def personal_data(records: Sequence[Record]) -> dict[str, int]:
    """Kind of personal data → how many of the checked records hold it, or held it, in either text."""
    counts = Counter(kind for record in records for kind in record.personal)
    return {kind: counts[kind] for kind in KINDS}


def require_no_personal_data(records: Sequence[Record]) -> None:
    """Refuses checked records of which some hold personal data.

    Raises:
        DataError: tells how many there are of each kind and names a few, never a value.
    """
    holding = [record.id for record in records if record.personal]
    if not holding:
        return
    counts = ", ".join(f"{kind} in {n:,}" for kind, n in personal_data(records).items() if n)
    more = ", …" if len(holding) > _NAMED else ""
    raise DataError(
        f"{len(holding):,} rows with personal data ({counts}): ids {', '.join(holding[:_NAMED])}{more}",
        expected="texts without it, as validate.personal_data is `refuse`",
        next_step="take it out of the sources, or set validate.personal_data to `redact`, which puts "
        "`[email]`, `[phone]` … in its place, or to `count` if you may keep it",
    )


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
    f"Labelled texts that say less than {LEAK_WORDS} English words (6 Chinese characters, 8 kana, 10 letters "
    "of Thai, 3 words or 10 syllables of Korean) are common phrases: they count as a leak only when a "
    "corpus text equals them, or nearly does."
)
