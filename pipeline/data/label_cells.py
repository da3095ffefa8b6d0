"""The labels of very many rows as an Arrow dictionary: each label once, and a number a row."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.text_sequence import TextSequence
from pipeline.problem.problem import Problem

_TYPE = pa.dictionary(pa.int32(), pa.string())


class LabelCells(TextSequence):
    """The label of each row as tables hold it, empty where there is none.

    codes: the place of each row's label in `different`, `(rows,)`.
    """

    def __init__(self, array: pa.DictionaryArray) -> None:
        """Take an array of strings without nulls, as a dictionary."""
        super().__init__(array)
        self.codes: NDArray[np.int32] = array.indices.to_numpy()
        self.different = TextSequence(array.dictionary)


def label_cells(columns: Iterable[pa.ChunkedArray]) -> LabelCells:
    """The labels in parts of a column, in order."""
    parts = [column.fill_null("").dictionary_encode() for column in columns]
    chunks = [chunk for part in parts for chunk in part.chunks]
    cells = pa.chunked_array(chunks, _TYPE).unify_dictionaries().combine_chunks()
    return LabelCells(cells)


def label_counts(cells: LabelCells, problem: Problem, labels: Sequence[str]) -> dict[str, int]:
    """Label of the product → how many rows have it."""
    counts = dict.fromkeys(labels, 0)
    rows = np.bincount(cells.codes, minlength=len(cells.different)).tolist()
    for cell, count in zip(cells.different, rows, strict=True):
        for label in problem.labels_in(cell, labels):
            counts[label] += count
    return counts


def rows_by_label(
    cells: LabelCells, problem: Problem, labels: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each label of the product, and which rows have it, `(rows,)`."""
    has_it = np.zeros((len(labels), len(cells.different)), dtype=np.bool_)
    for place, cell in enumerate(cells.different):
        for label in problem.labels_in(cell, labels):
            has_it[labels.index(label), place] = True
    for label, known in zip(labels, has_it, strict=True):
        yield label, known[cells.codes]
