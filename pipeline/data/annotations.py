"""Labels that people gave, read from `annotations/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.labels import read_label
from pipeline.data.rows import read_rows
from pipeline.problem.labelling import Labelling
from pipeline.problem.problem import Problem

# row id → annotator → label
Annotations = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One person's label of one row; `time` orders a person's second thoughts."""

    id: str
    annotator: str
    label: str
    time: str


def read_annotations(folder: Path, *, problem: Problem, labels: Sequence[str]) -> list[Annotation]:
    """Every annotation in the CSV and JSON-lines files of `folder`, in order of time.

    Raises:
        DataError: a file is malformed, an annotator has no name, or a label is not the product's.
    """
    files = [path for path in sorted(folder.glob("*")) if path.name[0] != "." and path.is_file()]
    labelling = Labelling(labels)
    found = [annotation for file in files for annotation in _read(file, problem, labelling)]
    return sorted(found, key=lambda annotation: annotation.time)


def _read(file: Path, problem: Problem, labelling: Labelling) -> Iterable[Annotation]:
    for row in read_rows(file, columns=["id", "annotator", "label"], optional=["time"]):
        values, where = row.values, f"{file.name}, line {row.line}"
        if not values["annotator"]:
            raise DataError(
                f"{where}: a label by nobody",
                expected="a name in the column `annotator`",
                next_step="correct the line",
            )
        label = read_label(values["label"], problem, labelling, where=where)
        yield Annotation(values["id"], values["annotator"], label, values.get("time", ""))


def by_row(annotations: Iterable[Annotation]) -> Annotations:
    """Each annotator's last word on each row."""
    rows: Annotations = {}
    for annotation in annotations:
        rows.setdefault(annotation.id, {})[annotation.annotator] = annotation.label
    return rows
