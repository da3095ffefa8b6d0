"""Compares the answers that two builds' released models gave to the same rows, by the labels of today."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.core.params import Params

_SPLITS = ("validation", "test")
_PREFIX = "score_"


@dataclass(frozen=True, kw_only=True)
class SplitComparison:
    """The quality of two models on the rows of a split that both have answered.

    Attributes:
        before: of the earlier model; `after`: of the later one.
        difference: after minus before; `low` and `high` are the ends of its paired interval.
    """

    split: str
    metric: str
    rows: int
    before: float
    after: float
    difference: float
    low: float
    high: float


def compare_answers(before: Path, after: Path, params: Params) -> list[SplitComparison]:
    """The comparison on each split that has rows in both tables of `ReleasedAnswers`.

    Both models are judged by the labels of the later table, each with the answers that it gave. There is none where
    the product had another number of labels.
    """
    judge, labels = Judge.of(params), params.product.labels
    old, new = pq.read_table(before), pq.read_table(after)
    if _scores(old) != _scores(new):
        return []
    found = []
    for split in _SPLITS:
        one, other = _common(old, new, split)
        if not len(other):
            continue
        gold = _values(other["label"], judge, labels)
        former, latter = (_judged(table, gold, judge, labels) for table in (one, other))
        difference = difference_interval(latter, former, judge)
        found.append(
            SplitComparison(
                split=split,
                metric=judge.metric,
                rows=len(other),
                before=former.figure(judge.metric),
                after=latter.figure(judge.metric),
                difference=difference.value,
                low=difference.low,
                high=difference.high,
            )
        )
    return found


def _common(old: pa.Table, new: pa.Table, split: str) -> tuple[pa.Table, pa.Table]:
    """The rows of a split that both tables have, in the order of the later one."""
    old, new = (table.filter(pc.equal(table["split"], split)) for table in (old, new))
    places = pc.index_in(new["id"].combine_chunks(), value_set=old["id"].combine_chunks())
    return old.take(places.drop_null()), new.filter(places.is_valid())


def _judged(table: pa.Table, gold: np.ndarray, judge: Judge, labels: Sequence[str]) -> Judged:
    scores = np.stack([table[name].to_numpy() for name in _scores(table)], axis=1)
    return Judged(
        gold=gold,
        answers=_values(table["answer"], judge, labels),
        scores=scores,
        abstained=np.zeros(len(table), dtype=np.bool_),
    )


def _values(stored: pa.ChunkedArray, judge: Judge, labels: Sequence[str]) -> np.ndarray:
    """Stored labels in the form of answers; see `Values`."""
    targets = [judge.problem.target(label, labels) for label in stored.to_pylist()]
    return judge.problem.gold(np.array(targets, dtype=np.float64))


def _scores(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name.startswith(_PREFIX)]
