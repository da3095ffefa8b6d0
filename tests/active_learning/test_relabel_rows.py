"""Rows whose label may be wrong: the files of the last build say which."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.acceptance.predictions import Answers, write_answers
from pipeline.active_learning.relabel_rows import confident_mistakes, doubted_rows
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.artifacts.table_columns import VariantPredictions
from pipeline.data.suspect_sheet import SuspectRow, write_suspects
from pipeline.problem.problems import problem_named

IDS = [f"{number:016x}" for number in range(1, 5)]
SCORES = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.01, 0.99]]


def _answers(split: str = "validation", **more: Any) -> Answers:
    targets = np.array([[1.0], [1.0], [1.0], [0.0]])
    given = {"ids": IDS, "targets": targets, "scores": np.array(SCORES)}
    return Answers(**{"variant": "teacher-torch", "split": split} | given | more)


def _request(artifacts: Path | None, problem: str = "classification") -> ScoreRequest:
    return ScoreRequest(
        folder="",
        rows="",
        problem=problem,
        labels=("a", "b"),
        pairs=False,
        checkpoint={},
        max_length=8,
        bundle=None,
        artifacts=str(artifacts) if artifacts else None,
        seed=1,
        threads=1,
    )


@pytest.mark.parametrize(
    ("problem", "targets", "scores", "expected"),
    [
        ("classification", [[1], [1], [1], [0]], SCORES, [IDS[3], IDS[0], IDS[1]]),
        ("multi_label", [[1, 0], [1, 1], [0, 1], [1, 1]], SCORES, [IDS[3], IDS[1]]),
        ("regression", [[1], [2], [3], [9]], [[1], [2], [3.5], [3]], [IDS[3]]),
    ],
)
def test_the_surest_mistakes_come_first(
    problem: str, targets: list[Any], scores: list[Any], expected: list[str]
) -> None:
    answers = _answers(targets=np.array(targets, float), scores=np.array(scores, float))
    assert confident_mistakes(answers, problem_named(problem)) == expected


def test_mistakes_are_those_on_validation_rows_and_suspects_come_in_their_order(
    tmp_path: Path,
) -> None:
    test_only = _answers("test", ids=[f"{number:016x}" for number in range(50, 54)])
    path = tmp_path / VariantPredictions.FILE
    path.parent.mkdir(parents=True)
    write_answers(path, [test_only, _answers()], VariantPredictions.columns())
    suspects = [
        SuspectRow(id=row, text="t", second=None, label="a", suggested="b", confidence=0.9)
        for row in ("00000000000000b7", "00000000000000a3")
    ]
    write_suspects(tmp_path / "baseline" / "suspect_labels.csv", suspects)
    found = doubted_rows(_request(tmp_path), problem_named("classification"))
    assert {why: ids.tolist() for why, ids in found.items()} == {
        "suspect": [0xB7, 0xA3],
        "error": [4, 1, 2],
    }


@pytest.mark.parametrize("is_built", [False, True], ids=["another product's build", "no build yet"])
def test_without_a_build_nothing_is_doubted(tmp_path: Path, is_built: bool) -> None:
    request = _request(tmp_path if is_built else None)
    assert doubted_rows(request, problem_named("classification")) == {}
