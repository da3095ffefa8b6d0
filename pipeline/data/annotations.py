"""Reads the labels that people gave to rows, from the files in `annotations/`."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.rows import read_rows
from pipeline.problem.labelling import Labelling
from pipeline.problem.problem import Problem

Annotations = dict[str, dict[str, str]]
"""Row id → annotator → label."""
_COLUMNS = ("id", "annotator", "label")


def read_annotations(folder: Path, *, problem: Problem, labels: Sequence[str]) -> Annotations:
    """The last label that each annotator gave to each row, from the files of `folder`.

    Files are CSV, TSV, JSON lines or Parquet. Of two labels, the one with the later `time` counts.

    Raises:
        DataError: a file is malformed, an annotator has no name, or a label is not the product's.
    """
    files = [path for path in sorted(folder.glob("*")) if path.name[0] != "." and path.is_file()]
    labelling = Labelling(labels)
    found = [annotation for file in files for annotation in _read(file, problem, labelling)]
    rows: Annotations = {}
    for _, identifier, annotator, label in sorted(found, key=itemgetter(0)):
        rows.setdefault(identifier, {})[annotator] = label
    return rows


def _read(
    file: Path, problem: Problem, labelling: Labelling
) -> Iterable[tuple[str, str, str, str]]:
    """Time (empty where the file has none), row id, annotator and label of each line."""
    for line, row in read_rows(file, columns=_COLUMNS, optional=["time"], lists=["label"]):
        where = f"{file.name}, line {line}"
        identifier, annotator, cell = (row[name] for name in _COLUMNS)
        if not annotator:
            raise DataError(
                f"{where}: the column `annotator` is empty",
                expected="the name of who gave the label",
                next_step="correct the line",
            )
        with refusals_are_data_errors():
            label = problem.read_label(cell, labelling, where=where)
        yield row.get("time", ""), identifier, annotator, label
