"""The scores of a variant on the rows of a split, in memory and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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


def write_answers(path: Path, answers: Sequence[Answers], columns: Sequence[str]) -> None:
    """Write a table with these columns, and one `score_<output>` an output.

    Args:
        columns: of a table of predictions; `variant` or `model` is the one with the name.
    """
    tables = []
    for found in answers:
        values = {
            "id": list(found.ids),
            "split": [found.split] * len(found.ids),
            "target": pa.array(found.targets.tolist(), pa.list_(pa.float64())),
            **dict.fromkeys(("variant", "model"), [found.variant] * len(found.ids)),
        }
        scores = {f"{_PREFIX}{i}": column for i, column in enumerate(found.scores.T)}
        tables.append(pa.table({name: values[name] for name in columns} | scores))
    with atomic_path(path) as temporary:
        pq.write_table(pa.concat_tables(tables), temporary, compression="zstd")


def read_answers(path: Path, *, name: str = "variant") -> dict[tuple[str, str], Answers]:
    """(Variant, split) → its answers, in file order; `name` is the column with the variant."""
    columns = pq.read_table(path).to_pydict()
    outputs = [column for column in columns if column.startswith(_PREFIX)]
    rows: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(columns[name], columns["split"], strict=True)):
        rows.setdefault(key, []).append(i)
    return {
        (variant, split): Answers(
            variant=variant,
            split=split,
            ids=[columns["id"][i] for i in chosen],
            targets=np.array([columns["target"][i] for i in chosen], dtype=np.float64),
            scores=np.array(
                [[columns[output][i] for output in outputs] for i in chosen], dtype=np.float64
            ),
        )
        for (variant, split), chosen in rows.items()
    }


def read_baselines(
    path: Path, ids: Mapping[str, Sequence[str]], targets: Mapping[str, NDArray[np.float64]]
) -> list[Answers]:
    """The baselines' answers, in the row order of `ids`; `ArtifactError` where one is missing."""
    ordered = []
    for found in read_answers(path, name="model").values():
        wanted, at = ids[found.split], {row: i for i, row in enumerate(found.ids)}
        if missing := [row for row in wanted if row not in at]:
            raise ArtifactError(
                f"{path.name}: {found.variant} has no answer for {len(missing)} {found.split} rows",
                expected="an answer for every row of prepare/records.parquet",
                next_step="run the baseline stage again",
            )
        scores = found.scores[[at[row] for row in wanted]]
        ordered.append(replace(found, ids=wanted, targets=targets[found.split], scores=scores))
    return ordered
