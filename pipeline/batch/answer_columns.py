"""Makes columns of a part's answers: those that the server gives, and `error` for rows without one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.batch.input_parts import InputPart
from pipeline.batch.scored import Scored
from pipeline.problem.probabilities import Scores, Values
from pipeline.runtime.task import Task

ERROR, TRUNCATED, ABSTAINED = "error", "truncated", "abstained"
_NOT_FINITE = "a failure of the model (no finite number)"


def _label(task: Task, scores: Scores, answers: Values) -> pa.Array:
    return pa.array(task.labels, pa.string()).take(pa.array(answers))


def _probability(task: Task, scores: Scores, answers: Values) -> pa.Array:
    return pa.array(scores[np.arange(len(scores)), answers])


def _probabilities(task: Task, scores: Scores, answers: Values) -> pa.Array:
    columns = [pa.array(scores[:, number]) for number in range(len(task.labels))]
    return pa.StructArray.from_arrays(columns, names=[*task.labels])


def _labels(task: Task, scores: Scores, answers: Values) -> pa.Array:
    rows, labels = np.nonzero(answers)
    ends = np.searchsorted(rows, np.arange(len(scores) + 1))
    named = pa.array(task.labels, pa.string()).take(pa.array(labels))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), named)


def _value(task: Task, scores: Scores, answers: Values) -> pa.Array:
    return pa.array(answers)


COLUMNS: Mapping[str, Callable[[Task, Scores, Values], pa.Array]] = MappingProxyType(
    {
        "label": _label,
        "probability": _probability,
        "probabilities": _probabilities,
        "labels": _labels,
        "value": _value,
    }
)
"""Field of an answer → what makes a column of it, `(rows,)`, from scores `(rows, outputs)` and answers."""


def answer_names(task: Task) -> list[str]:
    """The columns of the answers: the fields of the problem's answers, then what may be said of each."""
    abstained = [ABSTAINED] if task.decision.abstain_below is not None else []
    return [*task.kind.columns, *abstained, TRUNCATED, ERROR]


def answer_schema(task: Task, *, prefix: str) -> pa.Schema:
    """The names and types of the columns of the answers."""
    nothing = Scored(np.empty((0, len(task.labels))), [], {})
    part = InputPart(start=0, rows=0, requests=[], faults={}, kept=pa.table({}), lines=0)
    return answer_table(task, part, nothing, prefix=prefix).schema


def answer_table(task: Task, part: InputPart, scored: Scored, *, prefix: str) -> pa.Table:
    """The answers to all rows of a part; a row without one has its reason as `error`, and nothing else.

    The scores become answers as they do in the server, many rows at once.
    """
    asked = np.array([row for row in range(part.rows) if row not in part.faults], dtype=np.int64)
    faults = part.faults | {int(asked[number]): why for number, why in scored.faults.items()}
    is_finite = np.isfinite(scored.scores).all(axis=1)
    for row in asked[~is_finite]:
        faults.setdefault(int(row), _NOT_FINITE)
    answered, scores = asked[is_finite], scored.scores[is_finite]
    answers = task.kind.answers(scores, task.decision)
    columns = {name: COLUMNS[name](task, scores, answers) for name in task.kind.columns}
    if task.decision.abstain_below is not None:
        columns[ABSTAINED] = pa.array(task.kind.abstains(scores, task.decision))
    columns[TRUNCATED] = pa.array(np.isin(answered, asked[scored.truncated]))
    if faults:
        places = _places(part.rows, answered)
        columns = {name: column.take(places) for name, column in columns.items()}
    columns[ERROR] = pa.array([faults.get(row) for row in range(part.rows)], pa.string())
    return pa.table({f"{prefix}{name}": column for name, column in columns.items()})


def _places(rows: int, answered: npt.NDArray[np.int64]) -> pa.Array:
    """The number of each row's answer, `(rows,)`; null where it has none."""
    places = np.full(rows, -1, dtype=np.int64)
    places[answered] = np.arange(len(answered))
    return pa.array(places, mask=places < 0)
