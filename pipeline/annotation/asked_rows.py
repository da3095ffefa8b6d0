"""Finds rows of the data by their ids or by their texts, in one pass over validate's tables."""

from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.annotation.row_file import LabellingRow
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from pipeline.core.cleaning import clean
from pipeline.data.tables import read_batches


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRows:
    """Rows of the data.

    Attributes:
        by_id: id → its row.
        by_text: each of `keys_of` the texts of a row → the row.
    """

    by_id: dict[str, LabellingRow]
    by_text: dict[str, LabellingRow]


def find_rows(
    tables: Sequence[Path], *, ids: Collection[str], texts: Set[str] = frozenset()
) -> FoundRows:
    """The rows that have one of these ids, or of these texts, which are as `keys_of` gives them."""
    found = FoundRows(by_id={}, by_text={})
    for row in _rows(tables, lambda row: row["id"] in ids or not texts.isdisjoint(_keys(row))):
        found.by_id[row.id] = row
        for key in row_keys(row):
            found.by_text.setdefault(key, row)
    return found


def rows_without(
    tables: Sequence[Path], *, ids: Collection[str], most: int
) -> Iterator[LabellingRow]:
    """The first rows, `most` of them, that have no label of their source, and none of these ids.

    Ids are hashes and the tables are in their order, so the first rows are a random choice.
    """
    corpus_last = sorted(tables, key=_is_corpus)
    open_rows = _rows(corpus_last, lambda row: row["label"] is None and row["id"] not in ids)
    for _, row in zip(range(most), open_rows, strict=False):
        yield row


def keys_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The keys by which texts in another tool's file may be found: as they are, and cleaned.

    Two texts count as one, as tools show them.
    """
    whole = "\n\n".join(filter(None, texts))
    return whole, clean(whole)


def row_keys(row: LabellingRow) -> tuple[str, ...]:
    """The keys by which a row of the data may be found; its texts are clean, two of them together are not."""
    return (row.text,) if row.second is None else keys_of([row.text, row.second])


def _keys(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["text"],) if row["second"] is None else keys_of([row["text"], row["second"]])


def _rows(
    tables: Sequence[Path], wanted: Callable[[dict[str, Any]], Any]
) -> Iterator[LabellingRow]:
    names = ("id", "source", "text", "second", "label")
    for table in tables:
        # A label of the corpus is one of a neighbouring task; its rows are single texts.
        is_corpus = _is_corpus(table)
        own = names[:3] if is_corpus else names
        for batch in read_batches(table, own):
            for row in batch.to_pylist():
                full = {"second": None, "label": None} | row
                if wanted(full):
                    yield LabellingRow(**full)


def _is_corpus(table: Path) -> bool:
    return table.name == Path(ValidatedCorpus.FILE).name
