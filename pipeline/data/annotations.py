"""Labels that people gave: read from `annotations/`, merged by majority, their agreement measured."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.rows import read_rows

# row id → annotator → label
Annotations = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One person's label of one row; `time` orders a person's second thoughts."""

    id: str
    annotator: str
    label: str
    time: str


def read_annotations(folder: Path, *, labels: Sequence[str]) -> list[Annotation]:
    """Every annotation in the CSV and JSON-lines files of `folder`, in order of time.

    Raises:
        DataError: a file is malformed, an annotator has no name, or a label is not the product's.
    """
    files = [path for path in sorted(folder.glob("*")) if path.name[0] != "." and path.is_file()]
    found = [annotation for file in files for annotation in _read(file, labels)]
    return sorted(found, key=lambda annotation: annotation.time)


def _read(file: Path, labels: Sequence[str]) -> Iterable[Annotation]:
    for row in read_rows(file, columns=["id", "annotator", "label"], optional=["time"]):
        values = row.values
        if values["label"] not in labels or not values["annotator"]:
            raise DataError(
                f"{file.name}, line {row.line}: label {values['label']!r} "
                f"by annotator {values['annotator']!r}",
                expected=f"a name, and one of the labels {', '.join(labels)}",
                next_step="correct the line",
            )
        time = values.get("time", "")
        yield Annotation(values["id"], values["annotator"], values["label"], time)


def by_row(annotations: Iterable[Annotation]) -> Annotations:
    """Each annotator's last word on each row."""
    rows: Annotations = {}
    for annotation in annotations:
        rows.setdefault(annotation.id, {})[annotation.annotator] = annotation.label
    return rows


def majority(votes: Mapping[str, str], *, otherwise: str) -> str:
    """The label most annotators gave; where two lead together, `otherwise`, the source's label."""
    (label, count), *others = Counter(votes.values()).most_common(2)
    return otherwise if others and others[0][1] == count else label


def krippendorff_alpha(rows: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal labels: 1 is agreement, 0 is chance.

    Args:
        rows: the labels that each row was given; rows with fewer than two say nothing.

    Returns:
        α = 1 − (n − 1)·Σ_{c≠k} o_ck / Σ_{c≠k} n_c·n_k (Krippendorff 2011, "Computing
        Krippendorff's Alpha-Reliability", section C), or None where no two labels could disagree.
    """
    coincidences = _coincidences(rows)
    totals: defaultdict[str, float] = defaultdict(float)
    for (first, _), weight in coincidences.items():
        totals[first] += weight
    expected = sum(totals[c] * totals[k] for c in totals for k in totals if c != k)
    observed = sum(weight for (c, k), weight in coincidences.items() if c != k)
    return 1 - (sum(totals.values()) - 1) * observed / expected if expected else None


def _coincidences(rows: Iterable[Sequence[str]]) -> Mapping[tuple[str, str], float]:
    """How often two annotators of a row gave each ordered pair of labels, each label counted once."""
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for labels in rows:
        for first, second in permutations(labels, 2):
            weights[first, second] += 1 / (len(labels) - 1)
    return weights
