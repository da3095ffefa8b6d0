"""Labelled rows in a project of tests/support/labelling.py, and what the released model answers to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.annotation.mistakes import ANSWERS_FILE
from pipeline.core.artifacts.table_columns import ReleasedAnswers, ValidatedRecords
from tests.support.labelling import PRODUCT, row_id


@dataclass(frozen=True, kw_only=True)
class AnsweredRow:
    """A row with a label, and the answer of the model; ids are in the order of the numbers."""

    number: int
    label: str
    answer: str
    confidence: float | None = 0.9
    text: str = "a text"
    source: str = "mail"
    split: str = "validation"
    slices: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return row_id(self.number)

    @property
    def score(self) -> float:
        return float(self.label == self.answer)


def write_answered(root: Path, rows: Sequence[AnsweredRow]) -> None:
    """Writes validate's labelled rows, and the answers in the folder of what people answer."""
    records = {
        "id": [row.id for row in rows],
        "source": [row.source for row in rows],
        "text": [row.text for row in rows],
        "second": pa.nulls(len(rows), pa.string()),
        "label": [row.label for row in rows],
        "cluster": [row.id for row in rows],
    }
    _write(root / "artifacts" / ValidatedRecords.FILE, records)
    write_answers(root / ".modelyard" / "annotation" / PRODUCT / ANSWERS_FILE, rows)


def write_answers(path: Path, rows: Sequence[AnsweredRow]) -> None:
    """Writes a table of answers."""
    columns = {
        name: [getattr(row, name) for row in rows]
        for name in ReleasedAnswers.columns()
        if name != "slices"
    }
    columns |= {"slices": pa.array([row.slices for row in rows], pa.list_(pa.string()))}
    columns |= {"confidence": pa.array(columns["confidence"], pa.float64())}
    for number in range(2):  # of two labels, in the order of their names
        columns[f"score_{number}"] = [float(number) if row.score else 0.5 for row in rows]
    _write(path, columns)


def _write(path: Path, columns: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
