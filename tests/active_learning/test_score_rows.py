"""The scores that a process beside the annotation server writes: by nobody, by a light model, by the released one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.active_learning.frozen_embeddings import EMBEDDINGS_FILE
from pipeline.active_learning.score_rows import score_rows
from pipeline.annotation.assignment import Assignment
from pipeline.annotation.people import Person
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.score_file import Scores, read_scores
from pipeline.annotation.score_request import ScoreRequest
from pipeline.annotation.store import Store
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import DataError
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.labelling import PRODUCT, make_project, vote
from tests.support.repository import REPOSITORY
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task
from tests.support.tiny_models import write_language_model

LABELS = ("negative", "positive")
PRAISE, BLAME = ("good", "warm", "funny"), ("bad", "dull", "awful")
ANN = Person(name="ann", published="p1")


def _text(number: int) -> str:
    words = (PRAISE if number % 2 else BLAME)[number % 3]
    return (
        f"the film is {words} and {'never' if number % 5 else 'not'} slow {'the ' * (number % 7)}"
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    write_language_model(folder)
    return folder


def _request(root: Path, checkpoint: Path, rows: int = 120, **more: Any) -> ScoreRequest:
    """A project of rows without a label, and the request to score them."""
    make_project(root, [_text(number) for number in range(rows)], labels=LABELS)
    file = root / "rows.arrow"
    write_rows(file, [root / "artifacts" / ValidatedCorpus.FILE])
    folder = root / ".modelyard" / "annotation" / PRODUCT
    folder.mkdir(parents=True, exist_ok=True)
    source: dict[str, Any] = {
        "name": "tiny",
        "kind": "folder",
        "path": str(checkpoint),
        "package": None,
    }
    source |= {"revision": None, "sha256": None, "licence": "unknown", "seen": []}
    given: dict[str, Any] = {
        "folder": str(folder),
        "rows": str(file),
        "problem": "classification",
        "labels": LABELS,
        "pairs": False,
        "checkpoint": source,
        "max_length": 32,
        "bundle": None,
        "artifacts": None,
        "seed": 1,
        "threads": 1,
    }
    return ScoreRequest(**given | more)


def _scored(request: ScoreRequest) -> Scores:
    return read_scores(score_rows(request))


def _answer(request: ScoreRequest, numbers: range) -> None:
    """Labels rows as a person would, through the store."""
    asked = Assignment(product=PRODUCT, problem=request.problem, labels=request.labels)
    store = Store(
        Path(request.folder),
        rows=RowFile(Path(request.rows)),
        people=(ANN,),
        assignment=asked,
        double_share=0.0,
        what="",
    )
    events = [vote(f"u{n}", f"{n:016x}", LABELS[n % 2]) for n in numbers]
    store.submit(ANN, events).result(20)
    store.close()


def test_before_there_are_labels_rows_unlike_each_other_come_first(
    tmp_path: Path, checkpoint: Path
) -> None:
    scores = _scored(_request(tmp_path, checkpoint))
    assert scores.model is None
    assert {*scores.lanes} == {"diverse"}
    assert len(scores.lanes["diverse"]) > 50
    assert scores.suggestion(f"{0:016x}") is None


def test_from_some_dozen_labels_a_model_learns_what_it_is_unsure_of(
    tmp_path: Path, checkpoint: Path
) -> None:
    request = _request(tmp_path, checkpoint)
    _answer(request, range(60))
    scores = _scored(request)
    assert scores.model is not None
    assert scores.model.startswith("head-")
    assert {*scores.ids.tolist()} == {*range(60, 120)}
    assert {*scores.lanes["uncertain"].tolist()} == {*range(60, 120)}
    suggested = [scores.suggestion(f"{number:016x}") for number in range(60, 120)]
    right = [
        found is not None and found.label == LABELS[n % 2] for n, found in enumerate(suggested, 60)
    ]
    assert np.mean(right) > 0.7


def test_an_embedding_is_computed_once(tmp_path: Path, checkpoint: Path) -> None:
    request = _request(tmp_path, checkpoint)
    score_rows(request)
    kept = (Path(request.folder) / EMBEDDINGS_FILE).stat().st_mtime_ns
    _answer(request, range(30))
    score_rows(request)
    assert (Path(request.folder) / EMBEDDINGS_FILE).stat().st_mtime_ns == kept


def test_the_released_model_answers_where_there_is_one(tmp_path: Path, checkpoint: Path) -> None:
    bundle = tmp_path / "bundle"
    digest = make_tiny_bundle(bundle)
    request = _request(tmp_path, checkpoint, bundle=str(bundle))
    _answer(request, range(30))
    scores = _scored(request)
    assert scores.model == digest
    model = TextModel.from_bundle(open_bundle(bundle))
    expected = model.scores([_text(number).strip() for number in scores.ids.tolist()])
    assert scores.probabilities == pytest.approx(expected, abs=1e-6)
    unsure = [abs(float(p[0] - p[1])) for p in scores.probabilities]
    first = scores.ids.tolist().index(int(scores.lanes["uncertain"][0]))
    assert unsure[first] <= np.quantile(unsure, 0.5)


@pytest.mark.parametrize("problem", ["multi_label", "regression"])
def test_each_kind_of_problem_is_scored(tmp_path: Path, checkpoint: Path, problem: str) -> None:
    labels = LABELS if problem == "multi_label" else ("stars",)
    request = _request(tmp_path, checkpoint, problem=problem, labels=labels)
    asked = Assignment(product=PRODUCT, problem=problem, labels=labels)
    store = Store(
        Path(request.folder),
        rows=RowFile(Path(request.rows)),
        people=(ANN,),
        assignment=asked,
        double_share=0.0,
        what="",
    )
    given = [LABELS[: n % 3] for n in range(40)]
    store.submit(
        ANN,
        [
            vote(f"u{n}", f"{n:016x}", *given[n])
            if problem == "multi_label"
            else vote(f"u{n}", f"{n:016x}", number=n % 5)
            for n in range(40)
        ],
    ).result(20)
    store.close()
    scores = _scored(request)
    assert {*scores.lanes} == {"uncertain" if problem == "multi_label" else "diverse"}
    assert scores.suggestion(f"{100:016x}") is None


def test_of_many_rows_a_fair_sample_is_scored(tmp_path: Path, checkpoint: Path) -> None:
    scores = _scored(_request(tmp_path, checkpoint, most_rows=10))
    assert {*scores.lanes["diverse"].tolist()} <= {*range(10)}


def test_a_bundle_of_other_labels_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(labels=("no", "yes")))
    with pytest.raises(DataError) as error:
        score_rows(_request(tmp_path, checkpoint, bundle=str(tmp_path / "bundle")))
    assert "no, yes" in error.value.got


def test_the_process_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.active_learning.score_rows"],
        cwd=tmp_path,
        env=chosen_environment(os.environ) | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, said = process.communicate(b"no request\n", timeout=60)
    assert process.returncode == 1
    assert b"Traceback" not in said
