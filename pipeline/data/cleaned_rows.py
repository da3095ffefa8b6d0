"""Cleans rows batch by batch: texts go to a temporary file, and some bytes a row stay in memory.

What stays is enough to find copies, to count and to judge: numbers and hashes, no text and no object a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.cleaning import clean
from pipeline.core.letters import has_letter
from pipeline.core.progress import Progress
from pipeline.core.sections import ValidateParams
from pipeline.data.equal_rows import hashes_of
from pipeline.data.personal_data import Span, redacted, spans
from pipeline.data.personal_kinds import KINDS
from pipeline.data.personal_signs import may_hold
from pipeline.data.records import id_bytes
from pipeline.data.row_batches import SCHEMA, WITH_SOURCE_IDS, RowBatches, source_ids_of
from pipeline.data.row_ids import Ids, id_numbers, numbers_of
from pipeline.data.stored_rows import Rows, StoredRows, parts_of
from pipeline.text.bare_words import bare_lines

EMPTY, SHORT, LONG = "empty", "too short", "too long"
FAULTS = ("", EMPTY, SHORT, LONG)
"""Why a row is unusable; the first stands for rows that are usable."""
REDACT, REFUSE = "redact", "refuse"
STORED = WITH_SOURCE_IDS.append(pa.field("words", pa.string()))
"""Columns of the temporary file: `words` are the bare words, one line for each text."""
_CHARACTERS_OF_A_ROW, _CHARACTERS_AT_ONCE = 64, 1 << 22
IS_PAIR, TEXT_IS_NUMBER, SECOND_IS_NUMBER = 1, 2, 4

FACTS = np.dtype(
    [
        ("id", np.uint64),
        ("words", np.uint64, 2),
        ("label", np.uint64),
        ("characters", np.uint32),
        ("source", np.uint32),
        ("kinds", np.uint32),
        ("fault", np.uint8),
        ("flags", np.uint8),
        ("is_late", np.bool_),
    ]
)
"""The facts of a row, 47 bytes: its id; hashes of bare words and label (0 for none); characters of its texts;
place in the list of sources; a bit for each of KINDS; place in FAULTS; IS_PAIR and others; and whether it
repeats a row of its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedRows:
    """Rows with clean texts; the unusable ones as they came, or cleaned where personal data are replaced.

    Attributes:
        facts: `(rows,)`, of the type FACTS.
        sources: names of the sources.
        stored: the rows, with the columns STORED.
    """

    facts: NDArray[np.void]
    sources: Sequence[str]
    stored: StoredRows

    def in_order(self) -> NDArray[np.int64]:
        """The numbers of the rows by id, with repeated rows of a source after all others.

        The first of two copies must stay, whatever their ids: otherwise rows would change splits.
        """
        return np.lexsort((self.facts["id"], self.facts["is_late"]))

    def parts(self, rows: Rows) -> Iterator[slice]:
        """Slices of these rows, each with as many as can be in memory well."""
        sizes = self.facts["characters"][rows].astype(np.int64) + _CHARACTERS_OF_A_ROW
        yield from parts_of(sizes, _CHARACTERS_AT_ONCE)


def cleaned_rows(rows: RowBatches, params: ValidateParams) -> CleanedRows:
    """Clean the rows, one batch after the other, and note what is found in them.

    Personal data are replaced here, before any comparison, where they are so: texts that differ in a
    replaced value alone are copies.
    """
    facts, sources = np.zeros(rows.count, dtype=FACTS), dict[str, int]()
    progress = Progress("validate  cleaning", rows.count)

    def stored() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in rows.batches:
            cleaned, found = _cleaned(batch, sources, params)
            facts[done : done + len(batch)] = found
            progress.update(done := done + len(batch))
            yield cleaned

    table = StoredRows(stored(), STORED, folder=rows.folder)
    return CleanedRows(facts=facts, sources=[*sources], stored=table)


def _cleaned(
    batch: pa.RecordBatch, sources: dict[str, int], params: ValidateParams
) -> tuple[pa.RecordBatch, NDArray[np.void]]:
    """The rows of a batch as they are stored, and their facts."""
    given = [_column(batch, name) for name in SCHEMA.names]
    ids, names, texts, seconds, labels = (column.to_pylist() for column in given)
    found = np.zeros(len(batch), dtype=FACTS)
    found["id"] = numbers_of(ids)
    found["is_late"] = found["id"] != _ids_of_first_rows(names, texts, seconds)
    found["source"] = [sources.setdefault(name, len(sources)) for name in names]
    found["label"] = _label_hashes(labels)
    one, other = _clean_texts(texts, params), _clean_texts(seconds, params)
    is_pair = np.array([text is not None for text in seconds], dtype=np.uint8)
    found["fault"] = faults = np.where(one.faults, one.faults, other.faults)
    found["kinds"] = one.kinds | other.kinds
    found["flags"] = (
        IS_PAIR * is_pair + TEXT_IS_NUMBER * one.numbers + SECOND_IS_NUMBER * other.numbers
    )
    texts = cast(list[str], _as_told(texts, one.texts, faults, params))  # each row has a first text
    seconds = _as_told(seconds, other.texts, faults, params)
    words = bare_lines(texts, seconds)
    for row in np.flatnonzero(faults).tolist():
        words[row] = b""
    found["words"] = hashes_of(words)
    found["characters"] = [
        len(text) + len(second or "") for text, second in zip(texts, seconds, strict=True)
    ]
    new = [pa.array(column, pa.string()) for column in (texts, seconds, words)]
    columns = [*given[:2], source_ids_of(batch), *new[:2], given[-1], new[-1]]
    return pa.RecordBatch.from_arrays(columns, schema=STORED), found


def _ids_of_first_rows(
    sources: Sequence[str], texts: Sequence[str], seconds: Sequence[str | None]
) -> Ids:
    """The ids of the rows if none of their sources had a row with their texts before, `(rows,)`."""
    rows = zip(sources, texts, seconds, strict=True)
    return id_numbers([id_bytes(source, text, second=second) for source, text, second in rows])


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column of the batch; nulls where it has none of that name."""
    if name in batch.schema.names:
        return batch.column(name)
    return pa.nulls(len(batch), pa.string())


def _label_hashes(labels: Sequence[str | None]) -> NDArray[np.uint64]:
    """A hash of each label, `(labels,)`; 0 where there is none."""
    known = [*dict.fromkeys(label for label in labels if label is not None)]
    hashes = dict(zip(known, hashes_of(known)[:, 0].tolist(), strict=True))
    found = [0 if label is None else hashes[label] for label in labels]
    return np.array(found, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class _Texts:
    """A column of clean texts, with what is found in each, `(rows,)`: nothing in one that is None."""

    texts: list[str | None]
    faults: NDArray[np.uint8]
    kinds: NDArray[np.uint32]
    numbers: NDArray[np.uint8]


def _clean_texts(raw: Sequence[str | None], params: ValidateParams) -> _Texts:
    """The clean texts, their faults, the kinds of personal data in them, and which are numbers."""
    texts = [None if text is None else clean(text) for text in raw]
    faults = np.zeros(len(raw), dtype=np.uint8)
    kinds, numbers = faults.astype(np.uint32), faults.copy()
    may_be_told = may_hold(texts)
    for row, text in enumerate(texts):
        if text is None:
            continue
        if found := spans(text) if row in may_be_told else []:
            kinds[row] = _bits(found)
        told = redacted(text, found) if found and params.personal_data == REDACT else text
        if fault := _fault(told, params):
            faults[row] = fault
        if _is_number(told):
            numbers[row] = True
        texts[row] = told
    return _Texts(texts, faults, kinds, numbers)


def _bits(found: Sequence[Span]) -> int:
    """A bit for each kind of personal data."""
    return sum(1 << KINDS.index(kind) for kind in {span.kind for span in found})


def _fault(text: str, params: ValidateParams) -> int:
    """The place in FAULTS of the reason why a text is unusable."""
    if not has_letter(text):
        return FAULTS.index(EMPTY)
    if len(text) < params.min_characters:
        return FAULTS.index(SHORT)
    return FAULTS.index(LONG) if len(text) > params.max_characters else 0


def _as_told(
    raw: Sequence[str | None],
    cleaned: Sequence[str | None],
    faults: NDArray[np.uint8],
    params: ValidateParams,
) -> list[str | None]:
    """The texts of usable rows clean, of others as they came, unless personal data are replaced."""
    if params.personal_data == REDACT:
        return [*cleaned]
    rows = zip(raw, cleaned, faults.tolist(), strict=True)
    return [given if fault else text for given, text, fault in rows]


def _is_number(text: str) -> bool:
    """Whether a text holds a digit and no letter."""
    return not any(map(str.isalpha, text)) and any(map(str.isdigit, text))
