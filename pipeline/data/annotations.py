"""Labels that people gave: read from `annotations/` and merged, by majority or median."""

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.core.errors import DataError
from pipeline.core.product import BETWEEN_LABELS, MULTI_LABEL, REGRESSION
from pipeline.data.labels import Labelling, held_labels
from pipeline.data.rows import read_rows

Vote = TypeVar("Vote", str, bool)
# row id → annotator → label
Annotations = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One person's label of one row; `time` orders a person's second thoughts."""

    id: str
    annotator: str
    label: str
    time: str


def read_annotations(folder: Path, *, problem: str, labels: Sequence[str]) -> list[Annotation]:
    """Every annotation in the CSV and JSON-lines files of `folder`, in order of time.

    Raises:
        DataError: a file is malformed, an annotator has no name, or a label is not the product's.
    """
    files = [path for path in sorted(folder.glob("*")) if path.name[0] != "." and path.is_file()]
    labelling = Labelling(problem, labels)
    found = [annotation for file in files for annotation in _read(file, labelling)]
    return sorted(found, key=lambda annotation: annotation.time)


def _read(file: Path, labelling: Labelling) -> Iterable[Annotation]:
    for row in read_rows(file, columns=["id", "annotator", "label"], optional=["time"]):
        values, where = row.values, f"{file.name}, line {row.line}"
        if not values["annotator"]:
            raise DataError(
                f"{where}: a label by nobody",
                expected="a name in the column `annotator`",
                next_step="correct the line",
            )
        label = labelling.read(values["label"], where=where)
        yield Annotation(values["id"], values["annotator"], label, values.get("time", ""))


def by_row(annotations: Iterable[Annotation]) -> Annotations:
    """Each annotator's last word on each row."""
    rows: Annotations = {}
    for annotation in annotations:
        rows.setdefault(annotation.id, {})[annotation.annotator] = annotation.label
    return rows


def merged(votes: Collection[str], *, problem: str, labels: Sequence[str], otherwise: str) -> str:
    """The label that the votes of a row amount to, as tables hold it.

    classification: the majority; multi_label: the majority of each label; regression: the median.

    Args:
        otherwise: the source's label, which decides where two sides lead together.
    """
    if problem == REGRESSION:
        return repr(statistics.median(float(vote) for vote in votes))
    if problem == MULTI_LABEL:
        held, before = [held_labels(vote) for vote in votes], held_labels(otherwise)
        return BETWEEN_LABELS.join(
            label
            for label in labels
            if majority([label in row for row in held], otherwise=label in before)
        )
    return majority(votes, otherwise=otherwise)


def majority(votes: Iterable[Vote], *, otherwise: Vote) -> Vote:
    """What most annotators say; where two lead together, `otherwise`."""
    (vote, count), *others = Counter(votes).most_common(2)
    return otherwise if others and others[0][1] == count else vote
