"""Columns of many answers are those that one prediction after the other would give, to the last bit."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.batch.answer_columns import COLUMNS, answer_names, answer_schema, answer_table
from pipeline.batch.input_parts import InputPart
from pipeline.batch.scored import Scored
from pipeline.problem.decision import Decision
from pipeline.problem.problems import PROBLEMS
from tests.support.tiny_bundle import tiny_task

LABELS = tuple("abcdefghijk")
DECISIONS = (Decision(), Decision(None, 0.2), Decision((0.05,) * 10 + (0.5,), 0.1))


def part(rows: int, faults: dict[int, str] | None = None) -> InputPart:
    return InputPart(
        start=0, rows=rows, requests=[], faults=faults or {}, kept=pa.table({}), lines=0
    )


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("problem", [*PROBLEMS])
def test_columns_hold_what_single_predictions_hold(problem: str, decision: Decision) -> None:
    labels = None if problem == "regression" else LABELS
    if problem == "regression":
        decision = Decision()
    task = tiny_task(problem, labels=labels, decision=decision)
    outputs = np.random.default_rng(3).normal(size=(500, len(task.labels))).astype(np.float32) * 3
    together = Scored(np.array([task.kind.scores(row) for row in outputs]), [7], {})
    rows = answer_table(task, part(500), together, prefix="").to_pylist()
    for number, row in enumerate(rows):
        alone: Any = task.kind.prediction(
            task.kind.scores(outputs[number])[None],
            labels=task.labels,
            decision=decision,
            truncated=number == 7,
        )
        assert {name: getattr(alone, name, None) for name in row} == row


def test_rows_without_an_answer_have_a_reason_and_nothing_else() -> None:
    task = tiny_task()
    scores = np.array([[0.9, 0.1], [np.nan, np.nan], [np.nan, 1.0], [0.2, 0.8]])
    scored = Scored(scores, [3], {1: "no room"})
    table = answer_table(task, part(5, {1: "an empty text"}), scored, prefix="p_")
    assert table["p_label"].to_pylist() == ["negative", None, None, None, "positive"]
    assert table["p_truncated"].to_pylist() == [False, None, None, None, True]
    told = table["p_error"].to_pylist()
    assert told == [
        None,
        "an empty text",
        "no room",
        "a failure of the model (no finite number)",
        None,
    ]
    assert table.schema == answer_schema(task, prefix="p_")


def test_every_problem_has_columns_for_all_that_its_answers_hold() -> None:
    assert {name for kind in PROBLEMS.values() for name in kind.columns} == {*COLUMNS}
    assert answer_names(tiny_task()) == [
        "label",
        "probability",
        "probabilities",
        "truncated",
        "error",
    ]
