"""Finds the labels that rows have so far: those of their sources, and what people answered on the page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.annotation.event_log import read_log
from pipeline.annotation.events import Event
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import votes_folder
from pipeline.problem.labelling import BETWEEN_LABELS, Labels
from pipeline.problem.problem import Problem


def labels_so_far(
    folder: Path, rows: RowFile, *, problem: Problem, labels: Labels, most: int
) -> dict[int, str]:
    """Place of a row → its label as tables store it; people's answers come before those of the source.

    Args:
        folder: of what people answer about the product; a server may be writing there.
        most: rows; of more that have a label of their source, the first by id, a fair sample.

    Raises:
        DataError: a log is damaged.
    """
    voted = _voted(folder, rows, problem, labels)
    room = max(most - len(voted), 0)
    given = np.flatnonzero(~rows.waiting(pairs=False))
    given = given[np.argsort(rows.ids[given])][:room]
    of_source = {place: rows.row(place).label for place in given.tolist()}
    known = {place: label for place, label in of_source.items() if label is not None}
    return known | voted


def _voted(folder: Path, rows: RowFile, problem: Problem, labels: Labels) -> dict[int, str]:
    """Place of a row → what most people say of it; an adjudicated label decides."""
    votes: dict[int, list[str]] = {}
    settled: dict[int, str] = {}
    for log in sorted(votes_folder(folder).glob("*.jsonl")):
        answers = Answers()
        for kept in read_log(log):
            answers.take(kept)
        for kept in answers.latest():
            place, event = rows.place(kept.event.row), kept.event
            if place is None or event.event == "skip" or not _fits(event, problem, labels):
                continue
            if event.event == "adjudicate":
                settled[place] = _cell(event, labels)
            else:
                votes.setdefault(place, []).append(_cell(event, labels))
    merged = {place: _merged(given, problem, labels) for place, given in votes.items()}
    return merged | settled


def _merged(votes: Sequence[str], problem: Problem, labels: Labels) -> str:
    return problem.merged(votes, labels=labels, otherwise=votes[0])


def _fits(event: Event, problem: Problem, labels: Labels) -> bool:
    """Whether the answer is one of today's question: labels may have been renamed since."""
    if not problem.has_probabilities:
        return event.number is not None
    return {*event.labels} <= {*labels} and (problem.many_labels or len(event.labels) == 1)


def _cell(event: Event, labels: Labels) -> str:
    if event.number is not None:
        return repr(float(event.number))
    return BETWEEN_LABELS.join(label for label in labels if label in event.labels)
