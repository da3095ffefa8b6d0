"""Counts the languages of the rows of each source and of each label, so that an odd source stands out."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.data_reports import LanguageReport
from pipeline.data.label_cells import LabelCells, label_cells, rows_by_label
from pipeline.data.row_checks import Checked
from pipeline.problem.problem import Problem
from pipeline.text.languages import languages_of

Kind = Literal["source", "label"]
Table = Literal["labelled", "corpus"]
_LOOKED_AT = 200_000
"""Rows of a table among which those of each source and label are sought. Rows are in the order of a hash, so the
first are a random choice."""
_ROWS_OF_A_SOURCE = 1000
_ROWS_OF_A_LABEL = 300


def source_languages(checked: Checked, *, table: Table) -> list[LanguageReport]:
    """The languages of rows that passed, by source, the source with most rows first."""
    if not len(checked.kept):
        return []
    stored = checked.rows.stored.take(checked.kept[:_LOOKED_AT], ["source"])
    sources = label_cells([stored["source"]])
    counts = np.bincount(sources.codes, minlength=len(sources.different))
    by_size = np.argsort(-counts, kind="stable").tolist()
    return [
        _report(
            checked, sources.codes == code, kind="source", table=table, name=sources.different[code]
        )
        for code in by_size
    ]


def label_languages(
    checked: Checked, cells: LabelCells, problem: Problem, labels: Sequence[str]
) -> list[LanguageReport]:
    """The languages of labelled rows that passed, by label; none where the answer is a number."""
    if not problem.has_probabilities:
        return []
    return [
        _report(checked, has_it[:_LOOKED_AT], kind="label", table="labelled", name=label)
        for label, has_it in rows_by_label(cells, problem, labels)
        if has_it[:_LOOKED_AT].any()
    ]


def _report(
    checked: Checked, chosen: NDArray[np.bool_], *, kind: Kind, table: Table, name: str
) -> LanguageReport:
    most = _ROWS_OF_A_SOURCE if kind == "source" else _ROWS_OF_A_LABEL
    rows = np.flatnonzero(chosen)[:most]
    languages = languages_of(_texts(checked, rows))
    return LanguageReport(kind=kind, table=table, name=name, rows=len(rows), languages=languages)


def _texts(checked: Checked, rows: NDArray[np.int64]) -> Iterator[str]:
    """The text of each row; of a pair, both texts together."""
    table = checked.rows.stored.take(checked.kept[rows], ["text", "second"])
    for text, second in zip(*(column.to_pylist() for column in table.columns[:2]), strict=True):
        yield text if second is None else f"{text} {second}"
