"""The scores of a variant on the rows of a split, in memory and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path

_PREFIX = "score_"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers of one variant to the rows of one split.

    Attributes:
        ids: row ids, in the order of the split.
        targets: gold, `(rows, width)`.
        scores: probabilities of the labels, or the number, `(rows, outputs)`.
    """

    variant: str
    split: str
    ids: Sequence[str]
    targets: NDArray[np.float64]
    scores: NDArray[np.float64]


def write_answers(path: Path, answers: Sequence[Answers]) -> None:
    """Write a table with the columns of `VariantPredictions` and one `score_<output>` an output."""
    tables = [_table(entry) for entry in answers]
    with atomic_path(path) as temporary:
        pq.write_table(pa.concat_tables(tables), temporary, compression="zstd")


def read_answers(path: Path) -> dict[tuple[str, str], Answers]:
    """(Variant, split) → its answers, from a table of `write_answers`."""
    groups = _groups(pq.read_table(path), "variant")
    return {key: _answers(*key, rows) for key, rows in groups.items()}


def read_baselines(
    path: Path, ids: Mapping[str, Sequence[str]], targets: Mapping[str, NDArray[np.float64]]
) -> list[Answers]:
    """The baselines' answers, in the row order of `ids` and `targets` of each split.

    Raises:
        ArtifactError: a row of a split has no answer.
    """
    answers = []
    for (model, split), rows in _groups(pq.read_table(path), "model").items():
        at = {row: i for i, row in enumerate(rows["id"])}
        if missing := [row for row in ids[split] if row not in at]:
            raise ArtifactError(
                f"{path.name}: {model} has no answer for {len(missing)} {split} rows",
                expected="an answer for every row of prepare/records.parquet",
                next_step="run the baseline stage again",
            )
        order = [at[row] for row in ids[split]]
        answers.append(
            Answers(
                variant=model,
                split=split,
                ids=ids[split],
                targets=targets[split],
                scores=_scores(rows)[order],
            )
        )
    return answers


def read_baselines_of(path: Path, *, split: str) -> list[Answers]:
    """Each baseline's answers to one split, in the order of the file."""
    return [
        _answers(name, split, rows)
        for (name, found), rows in _groups(pq.read_table(path), "model").items()
        if found == split
    ]


def _answers(variant: str, split: str, rows: Mapping[str, list[Any]]) -> Answers:
    return Answers(
        variant=variant,
        split=split,
        ids=rows["id"],
        targets=np.array(rows["target"], dtype=np.float64),
        scores=_scores(rows),
    )


def _table(answers: Answers) -> pa.Table:
    rows = len(answers.ids)
    columns: dict[str, Any] = {
        "id": list(answers.ids),
        "variant": [answers.variant] * rows,
        "split": [answers.split] * rows,
        "target": pa.array(answers.targets.tolist(), pa.list_(pa.float64())),
    }
    for output, column in enumerate(answers.scores.T):
        columns[f"{_PREFIX}{output}"] = column.astype(np.float64)
    return pa.table(columns)


def _groups(table: pa.Table, name: str) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """The rows of each pair of `name` and split, in file order."""
    columns = table.to_pydict()
    numbers: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(columns[name], columns["split"], strict=True)):
        numbers.setdefault(key, []).append(i)
    return {
        key: {column: [values[i] for i in chosen] for column, values in columns.items()}
        for key, chosen in numbers.items()
    }


def _scores(rows: Mapping[str, list[Any]]) -> NDArray[np.float64]:
    count = sum(name.startswith(_PREFIX) for name in rows)
    return np.stack([np.array(rows[f"{_PREFIX}{i}"], dtype=np.float64) for i in range(count)], 1)
