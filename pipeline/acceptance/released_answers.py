"""The answers of the released model to the rows of validation and test, as a table that outlives the build.

People look for mistakes in it (pipeline/annotation/mistakes.py), and the next build is compared with it row by
row (pipeline/monitoring/answers_comparison.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acceptance.judge import Judged
from pipeline.acceptance.predictions import Answers
from pipeline.core.artifacts.table_columns import ReleasedAnswers
from pipeline.core.files import atomic_path
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Mask
from pipeline.problem.problem import Problem

_PREFIX = "score_"


@dataclass(frozen=True, kw_only=True)
class SplitAnswers:
    """The answers to the rows of one split.

    Attributes:
        judged: the answers as the decision that is released gives them.
        slices: slice → which rows belong to it, `(rows,)`.
    """

    answers: Answers
    judged: Judged
    slices: Mapping[str, Mask]


def write_released_answers(
    path: Path,
    splits: Sequence[SplitAnswers],
    *,
    decision: Decision,
    problem: Problem,
    labels: Sequence[str],
) -> None:
    """Writes the table `ReleasedAnswers`, rows in the order of the splits."""
    tables = [_table(split, decision, problem=problem, labels=labels) for split in splits]
    with atomic_path(path) as temporary:
        pq.write_table(pa.concat_tables(tables), temporary, compression="zstd")


def _table(
    split: SplitAnswers, decision: Decision, *, problem: Problem, labels: Sequence[str]
) -> pa.Table:
    found, judged = split.answers, split.judged
    given = _targets(judged)
    values = {
        "id": pa.array([*found.ids], pa.string()),
        "split": pa.array([found.split] * len(found.ids), pa.string()),
        "label": pa.array([problem.label_of(row, labels) for row in found.targets.tolist()]),
        "answer": pa.array([problem.label_of(row, labels) for row in given]),
        "confidence": _confidence(found, decision, problem),
        "score": pa.array(problem.row_scores(judged.gold, judged.answers), pa.float64()),
        "slices": _names(split.slices, len(found.ids)),
    }
    scores = {f"{_PREFIX}{number}": column for number, column in enumerate(found.scores.T)}
    return pa.table({name: values[name] for name in ReleasedAnswers.columns()} | scores)


def _confidence(found: Answers, decision: Decision, problem: Problem) -> pa.Array:
    """How sure each answer is; nulls for numbers."""
    if not problem.has_probabilities:
        return pa.nulls(len(found.ids), pa.float64())
    return pa.array(problem.confidence(found.scores, decision), pa.float64())


def _targets(judged: Judged) -> list[list[float]]:
    """The answers in the form of targets, which a problem turns into stored labels."""
    rows = np.asarray(judged.answers, dtype=np.float64)
    return [[*row] for row in rows.reshape(len(rows), -1).tolist()]


def _names(slices: Mapping[str, Mask], rows: int) -> pa.Array:
    """The names of the slices that each row belongs to."""
    names = [[name for name, mask in slices.items() if mask[row]] for row in range(rows)]
    return pa.array(names, pa.list_(pa.string()))
