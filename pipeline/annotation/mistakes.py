"""The mistakes of the last model that passed the gate, on validation rows: filtered, the surest first.

Test rows are never among them. Who corrects the labels of test rows where the model is wrong, and leaves those where it is
right, makes every later figure on test look better than it is. On validation the same is held down by a control: with
each mistake that goes to people, a row goes that the model answered right.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.artifacts.table_columns import ReleasedAnswers

ANSWERS_FILE = "answers.parquet"
"""Name of the table `ReleasedAnswers` in the folder of what people answer about a product."""
_SPLIT = "validation"
_MOST_PAIRS = 100


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row to which the model gives another answer than its label.

    Attributes:
        label: the label that the row has, as tables store it.
        confidence: as of `ReleasedAnswers`.
    """

    row: str
    label: str
    answer: str
    confidence: float | None
    score: float
    slices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The mistakes that a person asks to see; an empty text means all.

    Attributes:
        least: the least confidence, 0 to 1.
        most: the greatest.
    """

    slice: str = ""
    source: str = ""
    label: str = ""
    answer: str = ""
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ValidationAnswers:
    """The answers to validation rows.

    Attributes:
        mistakes: the surest first; of numbers, the farthest from the label first.
        right: ids of the rows that are answered right, by label.
        labels: row → its label, for every row of validation.
        has_confidence: whether answers have one; numbers have none.
    """

    mistakes: Sequence[Mistake]
    right: Mapping[str, Sequence[str]]
    labels: Mapping[str, str]
    has_confidence: bool

    def control(self, mistake: Mistake, *, taken: Collection[str]) -> str | None:
        """A row that the model answers right, with the label of the mistake's row if there is one; None without any.

        It is the first by id after the row, which is a random choice, since ids are hashes, and the same each time.

        Args:
            taken: rows that are not to be chosen.
        """
        others = (name for label, name in self._right_rows() if label != mistake.label)
        for among in (self.right.get(mistake.label, ()), others):
            free = sorted(row for row in among if row not in taken)
            if free:
                return next((row for row in free if row > mistake.row), free[0])
        return None

    def mistake(self, row: str) -> Mistake | None:
        """The mistake on a row; None where there is none."""
        return next((each for each in self.mistakes if each.row == row), None)

    def _right_rows(self) -> Iterator[tuple[str, str]]:
        for label, rows in self.right.items():
            for row in rows:
                yield label, row


def read_answers(path: Path) -> ValidationAnswers:
    """Reads the answers to validation rows from a table `ReleasedAnswers`."""
    names = [*ReleasedAnswers.columns()]
    table = pq.read_table(path, columns=names, filters=pc.field("split") == _SPLIT)
    rows = table.to_pylist()
    right, wrong = _right_or_wrong(rows)
    by_label: dict[str, list[str]] = {}
    for row in right:
        by_label.setdefault(row["label"], []).append(row["id"])
    return ValidationAnswers(
        mistakes=tuple(_mistake(row) for row in sorted(wrong, key=_dearest)),
        right={label: tuple(ids) for label, ids in sorted(by_label.items())},
        labels={row["id"]: row["label"] for row in rows},
        has_confidence=any(row["confidence"] is not None for row in rows),
    )


def choices(
    mistakes: Sequence[Mistake], sources: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The values that the mistakes may be filtered by, each with how many there are, the commonest first.

    Args:
        sources: row → the name of its source.
    """
    by_slice = Counter(name for each in mistakes for name in each.slices)
    by_source = Counter(sources[each.row] for each in mistakes)
    pairs = Counter((each.label, each.answer) for each in mistakes)
    return {
        "slices": [{"name": name, "rows": rows} for name, rows in by_slice.most_common()],
        "sources": [{"name": name, "rows": rows} for name, rows in by_source.most_common()],
        "pairs": [
            {"label": label, "answer": answer, "rows": rows}
            for (label, answer), rows in pairs.most_common(_MOST_PAIRS)
        ],
    }


def fits(mistake: Mistake, wanted: Wanted, *, source: str) -> bool:
    """Whether a mistake is one of those that are wanted."""
    sure = mistake.confidence
    return (
        (not wanted.slice or wanted.slice in mistake.slices)
        and (not wanted.label or wanted.label == mistake.label)
        and (not wanted.answer or wanted.answer == mistake.answer)
        and (not wanted.source or wanted.source == source)
        and (sure is None or wanted.least <= sure <= wanted.most)
    )


def _right_or_wrong(rows: Sequence[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The rows with a right answer, and those with a wrong one; of numbers the nearer half counts as right."""
    scores = [row["score"] for row in rows if row["confidence"] is None]
    limit = median(scores) if scores else 1.0
    right = [row["label"] == row["answer"] or row["score"] >= limit for row in rows]
    return (
        [row for row, is_right in zip(rows, right, strict=True) if is_right],
        [row for row, is_right in zip(rows, right, strict=True) if not is_right],
    )


def _dearest(row: dict[str, Any]) -> tuple[float, str]:
    sure = row["confidence"]
    return (row["score"] if sure is None else -sure), row["id"]


def _mistake(row: dict[str, Any]) -> Mistake:
    return Mistake(
        row=row["id"],
        label=row["label"],
        answer=row["answer"],
        confidence=row["confidence"],
        score=row["score"],
        slices=tuple(row["slices"]),
    )
