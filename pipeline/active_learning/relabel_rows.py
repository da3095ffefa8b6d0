"""Finds rows whose label may be wrong: those that simple models contradict, and confident mistakes of the last build.

Mistakes are those on validation rows. Test rows are left alone: to correct labels only where the model
was wrong would make its test figure too good.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.acceptance.predictions import Answers, read_answers
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.artifacts.table_columns import VariantPredictions
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.files import read_json
from pipeline.core.variants import TEACHER
from pipeline.data.row_ids import Ids, is_id, numbers_of
from pipeline.problem.decision import Decision
from pipeline.problem.problem import Problem

SUSPECT, ERROR = "suspect", "error"
MOST_ROWS = 500
"""Rows of each kind at most: the farther down, the more labels are right."""
_SUSPECTS = "baseline/suspect_labels.csv"


def doubted_rows(request: ScoreRequest, problem: Problem) -> Mapping[str, Ids]:
    """Reason → ids of rows, the most doubtful first; none where the build's files are gone."""
    if request.artifacts is None:
        return {}
    artifacts = Path(request.artifacts)
    found = {SUSPECT: _suspects(artifacts / _SUSPECTS), ERROR: _mistakes(artifacts, problem)}
    return {why: ids[:MOST_ROWS] for why, ids in found.items() if len(ids)}


def _suspects(path: Path) -> Ids:
    if not path.is_file():
        return numbers_of([])
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return numbers_of([row["id"] for row in csv.DictReader(stream) if is_id(row["id"])])


def _mistakes(artifacts: Path, problem: Problem) -> Ids:
    """Ids of validation rows that the released variant, or else the teacher, answers wrongly."""
    path, verdict = artifacts / VariantPredictions.FILE, artifacts / Verdict.FILE
    if not path.is_file():
        return numbers_of([])
    variant = str(read_json(verdict)["released"]) if verdict.is_file() else TEACHER
    answers = read_answers(path)
    given = answers.get((variant, "validation")) or answers.get((TEACHER, "validation"))
    return numbers_of(confident_mistakes(given, problem) if given else [])


def confident_mistakes(answers: Answers, problem: Problem) -> list[str]:
    """Ids of rows with a wrong answer, the surest first; of numbers, those with the largest error."""
    if not problem.has_probabilities:
        errors = np.abs(answers.scores[:, 0] - answers.targets[:, 0])
        cut = np.quantile(errors, 0.9) if len(errors) else 0.0
        wrong = np.flatnonzero(errors > cut)
        order = wrong[np.argsort(-errors[wrong], kind="stable")]
    else:
        given = problem.answers(answers.scores, Decision())
        gold = problem.gold(answers.targets)
        wrong = np.flatnonzero(problem.right(gold, given) == 0)
        of_gold = (
            problem.gold_probabilities(gold, answers.scores).reshape(len(gold), -1).min(axis=1)
        )
        order = wrong[np.argsort(of_gold[wrong], kind="stable")]
    return [answers.ids[row] for row in order.tolist()]
