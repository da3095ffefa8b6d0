"""Counts what the checks of rows found, and refuses rows of which too many are unusable."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.data_reports import Lengths, RejectShares, TableReport
from pipeline.core.errors import DataError
from pipeline.core.sections import ValidateParams
from pipeline.data.personal_data import redacted, spans
from pipeline.data.personal_kinds import KINDS
from pipeline.data.row_checks import CONFLICT, COPY, REASONS, Checked
from pipeline.data.row_ids import ids_of
from pipeline.data.stored_rows import Rows
from pipeline.text.containment import LEAK_WORDS

_NAMED = 5
_SHOWN_TEXTS, _SHOWN_CHARACTERS = 2, 60
_MERGE_VOTES = (
    "give each text one label: where several people labelled a text, write it once, with the label that"
    " most gave, or put their labels into annotations/ (docs/guide/your-own-data.md#labels); with a"
    " higher limit, every text whose copies have different labels would be left out"
)
NOTE = (
    f"Labelled texts that say less than {LEAK_WORDS} English words (6 Chinese characters, 8 kana, 10 letters "
    "of Thai, 3 words or 10 syllables of Korean) are common phrases: they count as a leak only when a "
    "corpus text equals them, or nearly does."
)


def counts_by_reason(checked: Checked) -> dict[str, int]:
    """Reason → how many rows were taken out for it, the commonest first."""
    return {REASONS[code]: count for code, count in ordered_counts(checked.reasons)}


def ordered_counts(
    codes: NDArray[np.unsignedinteger], *, by_size: bool = True
) -> list[tuple[int, int]]:
    """Each code with how often it occurs: the commonest first, or in order of their first places."""
    found, firsts, counts = np.unique(codes, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -counts)) if by_size else np.argsort(firsts)
    return [(int(found[place]), int(counts[place])) for place in order]


def checked_shares(checked: Checked, params: ValidateParams) -> RejectShares:
    """Shares of all labelled rows: copies, and rows rejected for every other reason.

    Raises:
        DataError: a share is above its limit.
    """
    counts, of = counts_by_reason(checked), max(len(checked.rows.facts), 1)
    copies = counts.get(COPY, 0)
    shares = RejectShares(
        rejected=round((len(checked.taken) - copies) / of, 6), copies=round(copies / of, 6)
    )
    for what, share, name in (
        ("rejected", shares.rejected, "max_reject_share"),
        ("copies of others", shares.copies, "max_duplicate_share"),
    ):
        limit: float = getattr(params, name)
        if share > limit:
            why = ", ".join(f"{reason}: {count:,}" for reason, count in counts.items())
            raise DataError(
                f"{share:.1%} of the labelled rows are {what} ({why}){_disputed_texts(checked)}",
                expected=f"at most {limit:.1%} (validate.{name})",
                next_step=_MERGE_VOTES
                if CONFLICT in counts
                else f"correct the source, or raise validate.{name} if the rows are fine",
            )
    return shares


def _disputed_texts(checked: Checked) -> str:
    """Beginnings of texts whose copies have different labels, for a message; empty without any."""
    disputed = checked.taken[checked.reasons == REASONS.index(CONFLICT)]
    shown = (redacted(text, spans(text)) for text in _last_of_each(disputed, checked))
    some = [repr(text[:_SHOWN_CHARACTERS]) for text in islice(shown, _SHOWN_TEXTS)]
    return f"; different labels have, for example, {' and '.join(some)}" if some else ""


def _last_of_each(rows: Rows, checked: Checked) -> Iterator[str]:
    """The text of the last of the rows with the same bare words, in the order of the first ones."""
    words = checked.rows.facts["words"][rows]
    while len(rows):
        same = (words == words[0]).all(axis=1)
        yield str(checked.rows.stored.take(rows[same][-1:], ["text"])["text"][0].as_py())
        rows, words = rows[~same], words[~same]


def personal_data(*tables: Checked) -> dict[str, int]:
    """Kind of personal data → how many of the checked rows hold it, or held it, in either text."""
    kinds = np.concatenate([table.rows.facts["kinds"][table.kept] for table in tables])
    return {kind: int(np.count_nonzero(kinds & (1 << bit))) for bit, kind in enumerate(KINDS)}


def require_no_personal_data(*tables: Checked) -> None:
    """Refuses checked rows of which some hold personal data.

    Raises:
        DataError: tells how many there are of each kind and names a few, never a value.
    """
    facts = [table.rows.facts[table.kept] for table in tables]
    holding = np.concatenate([some["id"][some["kinds"] > 0] for some in facts])
    if not len(holding):
        return
    counts = ", ".join(f"{kind} in {n:,}" for kind, n in personal_data(*tables).items() if n)
    more = ", …" if len(holding) > _NAMED else ""
    named = ", ".join(ids_of(holding[:_NAMED]).to_pylist())
    raise DataError(
        f"{len(holding):,} rows with personal data ({counts}): ids {named}{more}",
        expected="texts without it, as validate.personal_data is `refuse`",
        next_step="take it out of the sources, or set validate.personal_data to `redact`, which puts "
        "`[email]`, `[phone]` … in its place, or to `count` if you may keep it",
    )


def summary(checked: Checked) -> TableReport:
    """Counts of one table for the report."""
    lengths = np.sort(checked.rows.facts["characters"][checked.kept])
    lengths = lengths if len(lengths) else np.zeros(1, dtype=np.uint32)
    least, median, p95, most = (
        int(lengths[min(int(share * len(lengths)), len(lengths) - 1)])
        for share in (0, 0.5, 0.95, 1)
    )
    return TableReport(
        rows_in=len(checked.rows.facts),
        rows_out=len(checked.kept),
        rejects=counts_by_reason(checked),
        characters=Lengths(least=least, median=median, p95=p95, most=most),
    )
