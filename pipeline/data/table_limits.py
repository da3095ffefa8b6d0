"""Refuses a source that holds no texts to learn from: its rows are mostly unusable, or mostly numbers.

A wrong `text_column` shows here. Copies and leaks do not count: a corpus may hold many of both on purpose.
"""

import numpy as np

from pipeline.core.errors import DataError
from pipeline.core.sections import ValidateParams
from pipeline.data.check_reports import ordered_counts
from pipeline.data.cleaned_rows import FAULTS, SECOND_IS_NUMBER, TEXT_IS_NUMBER
from pipeline.data.row_checks import Checked

_MOST_NUMBERS = 0.5
_COLUMNS = (("text_column", TEXT_IS_NUMBER), ("second_text_column", SECOND_IS_NUMBER))
"""Column, and the flag of rows where it is a number."""


def require_usable_corpus(corpus: Checked, params: ValidateParams) -> None:
    """Raises DataError where a source of the corpus has too many empty, short or long rows."""
    sources = corpus.rows.facts["source"]
    rows = np.bincount(sources, minlength=1)
    unusable = (corpus.reasons > 0) & (corpus.reasons < len(FAULTS))
    its_sources, reasons = sources[corpus.taken[unusable]], corpus.reasons[unusable]
    limit = params.max_corpus_reject_share
    for source, count in ordered_counts(its_sources, by_size=False):
        share = count / rows[source]
        if share > limit:
            counted = ordered_counts(reasons[its_sources == source])
            why = ", ".join(f"{FAULTS[reason]}: {number:,}" for reason, number in counted)
            named = corpus.rows.sources[source]
            raise DataError(
                f"{share:.1%} of the corpus rows of {named} cannot be used ({why})",
                expected=f"at most {limit:.1%} (validate.max_corpus_reject_share)",
                next_step=f"name the column with the texts as `text_column` of {named} in the "
                "product file, correct the file, or raise the limit if the rows are fine",
            )


def require_words(checked: Checked) -> None:
    """Raises DataError where most texts of a source are numbers, dates and the like: no letter in them."""
    facts = checked.rows.facts[checked.kept]
    for source, _ in ordered_counts(facts["source"], by_size=False):
        flags = facts["flags"][facts["source"] == source]
        rows = len(flags)
        for column, is_number in _COLUMNS:
            numbers = np.count_nonzero(flags & is_number)
            if numbers > _MOST_NUMBERS * rows:
                named = checked.rows.sources[source]
                raise DataError(
                    f"{numbers:,} of {rows:,} texts of {named} are numbers, without a letter",
                    expected="texts to learn from",
                    next_step=f"name the column with the texts as `{column}` of {named} in the product file",
                )
