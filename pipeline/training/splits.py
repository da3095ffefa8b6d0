"""The prepared rows of one split, as training stages use them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """Rows of one split in file order.

    Attributes:
        label_ids: index of each row's gold label in `product.labels`, `(rows,)`.
    """

    ids: list[str]
    texts: list[str]
    label_ids: NDArray[np.int64]


def read_split(records: Path, split: str) -> Split:
    """The rows of `split` in prepare's records."""
    table = pq.read_table(records)
    rows = table.filter(pc.equal(table["split"], split))
    return Split(
        ids=rows["id"].to_pylist(),
        texts=rows["text"].to_pylist(),
        label_ids=rows["label_id"].to_numpy().astype(np.int64),
    )
