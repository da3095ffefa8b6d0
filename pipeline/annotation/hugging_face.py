"""Hugging Face's Parquet: one row an answer, with the names of the labels in the file, as `datasets` keeps them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.annotation.foreign_votes import (
    NOTES,
    ROW_ID,
    AnsweredRow,
    ForeignVote,
    Question,
    ids_in,
    notes_in,
)
from pipeline.annotation.published_votes import PublishedVote
from pipeline.core.errors import DataError
from pipeline.data.arrow_file import class_names, named
from pipeline.data.parquet_file import opened_parquet, parts_of_parquet, rows_of_part

_TEXTS = ("text", "second")
_KNOWN = ("id", ROW_ID, *_TEXTS, "label", "annotator", "skipped", *NOTES)
_AT_ONCE = 8192


def write_hugging_face(path: Path, rows: Iterable[AnsweredRow], question: Question) -> None:
    """Writes a row for each answer, and one for each row without any, whose label is null."""
    schema = _schema(question)
    lines = _lines(rows, question)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while part := [*islice(lines, _AT_ONCE)]:
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


def read_hugging_face(path: Path, question: Question) -> Iterator[ForeignVote]:
    """The answers in a Parquet file or a folder of its parts; a ClassLabel comes as its name.

    Raises:
        DataError: it is not Parquet, has no column `text` or `label`, or a class without a name.
    """
    number = 0
    for part in parts_of_parquet(path):
        file = opened_parquet(part)
        schema = file.schema_arrow
        if missing := [name for name in ("text", "label") if name not in schema.names]:
            raise DataError(
                f"{part.name} has no column {missing[0]!r}",
                expected=f"`text` and `label` among its columns, which are {', '.join(schema.names)}",
                next_step="rename the column with `datasets`, and write the file again",
            )
        names = class_names(schema, "label")
        for row in rows_of_part(part, file, [name for name in _KNOWN if name in schema.names]):
            number += 1
            where = f"{path.name}, row {number}"
            label = named(row["label"], names, "label", where)
            yield _vote(row | {"label": label}, question, where=where)


def _schema(question: Question) -> pa.Schema:
    """The columns, with their kinds as `datasets` names them in the file's metadata."""
    if question.is_number:
        label, feature = pa.float64(), _value("float64")
    else:
        feature = {"names": [*question.labels], "_type": "ClassLabel"}
        label = pa.int64()
        if question.problem.many_labels:
            label, feature = pa.list_(label), {"feature": feature, "_type": "List"}
    texts = _TEXTS if question.pairs else _TEXTS[:1]
    kinds = [(name, pa.string()) for name in ("id", *texts)]
    kinds += [("label", label), ("annotator", pa.string()), ("skipped", pa.bool_())]
    kinds += [(name, pa.float64() if name == "seconds" else pa.string()) for name in NOTES]
    features = {name: _value(_NAMES[kind]) for name, kind in kinds if name != "label"}
    features = {name: features.get(name, feature) for name, _ in kinds}
    kept = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(kinds, metadata={"huggingface": kept})


_NAMES = {pa.string(): "string", pa.float64(): "float64", pa.bool_(): "bool"}


def _value(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "_type": "Value"}


def _lines(rows: Iterable[AnsweredRow], question: Question) -> Iterator[dict[str, Any]]:
    for answered in rows:
        row = answered.row
        own = {"id": row.id, "text": row.text, "second": row.second}
        if not answered.votes:
            yield own
        for vote in answered.votes:
            notes = {name: getattr(vote, name) for name in NOTES}
            given = {"annotator": vote.annotator, "skipped": vote.skipped}
            yield own | {"label": _label(vote, question)} | given | notes


def _label(vote: PublishedVote, question: Question) -> Any:
    if vote.skipped:
        return None
    if question.is_number:
        return vote.number
    classes = [question.labels.index(label) for label in vote.labels]
    return classes if question.problem.many_labels else classes[0]


def _vote(row: Mapping[str, Any], question: Question, *, where: str) -> ForeignVote:
    label, is_skip = row["label"], bool(row.get("skipped"))
    given = label if isinstance(label, list) else [label]
    names = [each if isinstance(each, str) else json.dumps(each) for each in given]
    is_empty = label is None or label == "" or (given == [] and not question.problem.many_labels)
    return ForeignVote(
        where=where,
        ids=ids_in(row.get("id"), row.get(ROW_ID)),
        texts=tuple(str(row.get(name) or "") for name in _TEXTS),
        annotator=str(row.get("annotator") or ""),
        values=None if is_skip or is_empty else (*names,),
        skipped=is_skip,
        notes=notes_in(row, where=where),
    )
