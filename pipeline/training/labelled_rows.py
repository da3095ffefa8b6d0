"""The rows of one split, as training stages use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.artifacts.table_columns import SOFT


@dataclass(frozen=True)
class Split:
    """Rows of one split in file order.

    Attributes:
        seconds: the second text of each row; empty where the product has no pairs.
        targets: the gold answers, `(rows, width)`. classification: the label's number in
            `product.labels`; multi_label: 1 for each label of the row, else 0; regression: the
            number.
        soft: shares of each label in place of the target, `(rows, labels)`, NaN in rows without; None where no row has
            them.
    """

    ids: list[str]
    texts: list[str]
    seconds: list[str]
    targets: NDArray[np.float64]
    soft: NDArray[np.float64] | None = None

    @property
    def label_ids(self) -> NDArray[np.int64]:
        """The number of each row's label, `(rows,)`; only for classification."""
        return self.targets[:, 0].astype(np.int64)


def read_split(records: Path, split: str) -> Split:
    """Reads the rows of `split` from prepare's records."""
    table = pq.read_table(records)
    rows = table.filter(pc.equal(table["split"], split))
    seconds = rows["second"].to_pylist()
    return Split(
        ids=rows["id"].to_pylist(),
        texts=rows["text"].to_pylist(),
        seconds=[] if None in seconds else seconds,
        targets=np.array(rows["target"].to_pylist(), dtype=np.float64),
        soft=_soft(rows[SOFT].to_pylist()) if SOFT in rows.column_names else None,
    )


def _soft(rows: Sequence[list[float] | None]) -> NDArray[np.float64] | None:
    width = max((len(row) for row in rows if row), default=0)
    if not width:
        return None
    return np.array([row or [np.nan] * width for row in rows], dtype=np.float64)
