"""Scores rows without a label and chooses which of them people are asked first.

    python -m pipeline.active_learning.score_rows    # started by `modelyard annotate`, beside its server

Reads one line, a ScoreRequest as JSON, and goes on only while its starter keeps the pipe open. Answers come from the
released model; before there is one, from a linear model over a checkpoint's embeddings that learns from the labels so
far; before there are enough labels, from nobody, and rows are chosen to be unlike each other. Writes scores.arrow
(pipeline/annotation/score_file.py).
"""

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.active_learning.bundle_answers import Answers, bundle_answers
from pipeline.active_learning.frozen_embeddings import Places, Vectors, embeddings_of
from pipeline.active_learning.labels_so_far import labels_so_far
from pipeline.active_learning.light_head import light_head
from pipeline.active_learning.query_lanes import WEIGHTS, query_lanes
from pipeline.active_learning.relabel_rows import doubted_rows
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.score_file import SCORES_FILE, Scores, write_scores
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.errors import PipelineError
from pipeline.problem.problems import problem_named

_NICE = 10
MOST_LABELLED = 20_000
"""Labelled rows from which the linear model learns at most."""


def score_rows(request: ScoreRequest) -> Path:
    """Writes the scores; returns their file.

    Raises:
        DataError: the checkpoint is not on this machine, or a log is damaged.
    """
    folder, rows = Path(request.folder), RowFile(Path(request.rows))
    problem = problem_named(request.problem)
    known = labels_so_far(folder, rows, problem=problem, labels=request.labels, most=MOST_LABELLED)
    asked = _open_places(rows, known, request)
    labelled = np.array(sorted(known), dtype=np.int64)
    vectors = embeddings_of(np.concatenate([asked, labelled]), rows, request)
    answers = _answers(asked, vectors[: len(asked)], known, vectors[len(asked) :], rows, request)
    lanes = query_lanes(
        vectors[: len(asked)],
        vectors[len(asked) :],
        answers.probabilities if answers else None,
        exclusive=not problem.many_labels,
        seed=request.seed,
    )
    doubted, by_id = doubted_rows(request, problem), np.argsort(rows.ids[asked])
    write_scores(
        folder / SCORES_FILE,
        Scores(
            ids=rows.ids[asked[by_id]] if answers else rows.ids[:0],
            probabilities=_ordered(answers, by_id, len(request.labels)),
            labels=request.labels,
            exclusive=not problem.many_labels,
            model=answers.model if answers else None,
            lanes={why: rows.ids[asked[places]] for why, places in lanes.items()} | dict(doubted),
            weights={why: WEIGHTS[why] for why in (*lanes, *doubted)},
        ),
    )
    return folder / SCORES_FILE


def _answers(
    asked: Places,
    open_vectors: Vectors,
    known: Mapping[int, str],
    labelled_vectors: Vectors,
    rows: RowFile,
    request: ScoreRequest,
) -> Answers | None:
    """The probabilities of the rows that are asked; None where nobody can say."""
    problem = problem_named(request.problem)
    if not problem.has_probabilities or not len(asked):
        return None
    if request.bundle is not None:
        return bundle_answers(Path(request.bundle), asked, rows, request)
    if not len(open_vectors[0]) or not known:
        return None
    targets = np.array([problem.target(known[place], request.labels) for place in sorted(known)])
    head = light_head(labelled_vectors, targets, problem=problem, labels=len(request.labels))
    if head is None:
        return None
    return Answers(model=head.name, probabilities=head.answer(open_vectors).astype(np.float32))


def _open_places(rows: RowFile, known: Mapping[int, str], request: ScoreRequest) -> Places:
    """Places of rows without a label, the first by id, which is a fair sample of them."""
    waits = rows.waiting(pairs=request.pairs)
    waits[list(known)] = False
    places = np.flatnonzero(waits)
    return places[np.argsort(rows.ids[places])][: request.most_rows]


def _ordered(answers: Answers | None, order: Places, labels: int) -> NDArray[np.float32]:
    return answers.probabilities[order] if answers else np.zeros((0, labels), np.float32)


def main() -> int:
    """Scores the rows of the request on standard input; returns the exit code."""
    os.nice(_NICE)
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    try:
        score_rows(ScoreRequest.from_line(line))
    except (PipelineError, ValueError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _end_with_the_starter() -> None:
    """Ends this process once nobody holds the other end of its standard input."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the thread waits for the starter, who waits for the end
