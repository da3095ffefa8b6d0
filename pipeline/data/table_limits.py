"""Refuses a source that holds no texts to learn from: its rows are mostly unusable, or mostly numbers.

A wrong `text_column` shows here. Copies and leaks do not count: a corpus may hold many of both on purpose.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.core.errors import DataError
from pipeline.core.sections import ValidateParams
from pipeline.data.records import Record
from pipeline.data.row_checks import EMPTY, LONG, SHORT

_MOST_NUMBERS = 0.5


def require_usable_corpus(
    corpus: Sequence[Record], rejects: Iterable[Record], params: ValidateParams
) -> None:
    """Raises DataError where a source of the corpus has too many empty, short or long rows.

    Args:
        corpus: the rows before the checks.
        rejects: those of them that were taken out, for whatever reason.
    """
    rows = Counter(record.source for record in corpus)
    unusable = [reject for reject in rejects if reject.reason in (EMPTY, SHORT, LONG)]
    limit = params.max_corpus_reject_share
    for source, count in Counter(reject.source for reject in unusable).items():
        share = count / rows[source]
        if share > limit:
            reasons = Counter(str(row.reason) for row in unusable if row.source == source)
            why = ", ".join(f"{reason}: {number:,}" for reason, number in reasons.most_common())
            raise DataError(
                f"{share:.1%} of the corpus rows of {source} cannot be used ({why})",
                expected=f"at most {limit:.1%} (validate.max_corpus_reject_share)",
                next_step=f"name the column with the texts as `text_column` of {source} in the "
                "product file, correct the file, or raise the limit if the rows are fine",
            )


def require_words(records: Iterable[Record]) -> None:
    """Raises DataError where most texts of a source are numbers, dates and the like: no letter in them."""
    rows, numbers = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for record in records:
        for column, text in (("text_column", record.text), ("second_text_column", record.second)):
            if text is not None:
                rows[record.source, column] += 1
                numbers[record.source, column] += _is_number(text)
    for (source, column), count in numbers.items():
        if count > _MOST_NUMBERS * rows[source, column]:
            raise DataError(
                f"{count:,} of {rows[source, column]:,} texts of {source} are numbers, without a letter",
                expected="texts to learn from",
                next_step=f"name the column with the texts as `{column}` of {source} in the product file",
            )


def _is_number(text: str) -> bool:
    """Whether a text holds a digit and no letter."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))
