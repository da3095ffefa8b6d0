"""Answers all texts of a file with one bundle: parts of it, by several processes, then one file.

    modelyard batch reviews.csv answers.parquet      # flows/batch_verb.py

Each text runs alone, as the server runs it (docs/adr/0049). What is done stays in OUT.parts through a
kill, and the same command goes on from there. OUT appears whole, with OUT.receipt.json beside it: by
which bundle, of which input.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.batch.answer_columns import ERROR, answer_names, answer_schema, answer_table
from pipeline.batch.answerers import Answerers
from pipeline.batch.batch_progress import BatchProgress
from pipeline.batch.input_file import TextColumns, open_input
from pipeline.batch.input_parts import InputPart, InputRows, parts_of
from pipeline.batch.output_formats import OutputFormat, format_of, is_json_lines
from pipeline.batch.part_store import DonePart, PartStore, is_begun, open_parts
from pipeline.batch.scored import Scored
from pipeline.batch.text_rows import JsonRows
from pipeline.batch.watched_input import WatchedInput
from pipeline.core.cores import available_cores
from pipeline.core.errors import DataError
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.signature import chosen_trust
from pipeline.runtime.task import Task

FORMAT = 1
"""Number of the form of parts and receipts; parts of another one are not gone on with."""


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """A batch that somebody asks for.

    Attributes:
        source: the file with the texts.
        output: the file to write; its ending is the format.
        bundle: folder of the bundle that answers.
        texts: the columns in which the texts may stand; the first that the file has.
        columns: the columns of the file that stay; None for all.
        prefix: what stands before the names of the answers; None chooses it by the file's columns.
        workers: processes that answer; None for one a core.
        again: whether to start over, whatever was done before or stands in the output.
    """

    source: Path
    output: Path
    bundle: Path
    texts: Sequence[TextColumns]
    columns: Sequence[str] | None = None
    prefix: str | None = None
    workers: int | None = None
    again: bool = False

    @property
    def parts(self) -> Path:
        """The folder of what is done."""
        return self.output.with_name(f"{self.output.name}.parts")

    @property
    def receipt(self) -> Path:
        """The file that says what the output was made of."""
        return self.output.with_name(f"{self.output.name}.receipt.json")


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """The outcome of a batch: how many rows stand in its output.

    Attributes:
        rows: its rows.
        errors: rows among them without an answer.
        answered: rows that this run answered; the others were done before.
        prefix: what stands before the names of the answers.
    """

    rows: int
    errors: int
    answered: int
    prefix: str


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """A request with all that was opened for it.

    Attributes:
        job: what the output depends on, as JSON holds it.
    """

    request: BatchRequest
    bundle: Bundle
    rows: InputRows
    prefix: str
    format: OutputFormat
    watched: WatchedInput
    job: Mapping[str, Any]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the output: those that stay, then the answers."""
        return pa.schema([*self.rows.kept, *answer_schema(self.bundle.task, prefix=self.prefix)])

    @property
    def workers(self) -> int:
        """As many processes as fill the cores: each has the threads that a server's model has."""
        cores = available_cores()
        return self.request.workers or max(1, cores // min(self.bundle.threads or cores, cores))


def run_batch(request: BatchRequest) -> BatchResult:
    """Answers the file's rows and writes them; what was done before is not done again.

    Raises:
        DataError: the file cannot be read or has changed, or the output is there already, or was begun
            with another bundle or other options.
        ArtifactError: the bundle is refused.
        BusyError: another process writes the same output.
    """
    batch = _opened(request)
    if not request.again and (found := _finished(batch)) is not None:
        return found
    _require_free(batch)
    with open_parts(request.parts, batch.job, again=request.again, source=request.source) as store:
        rows, answered = _answer_missing(batch, store)
        batch.format.join(request.output, store.files(rows), batch.schema)
        errors = sum(part.errors for part in store.done.values())
        counted = {"rows": rows, "errors": errors, "output_sha256": sha256_file(request.output)}
        write_json(request.receipt, {**batch.job, **counted})
        store.remove()
    return BatchResult(rows=rows, errors=errors, answered=answered, prefix=batch.prefix)


def _opened(request: BatchRequest) -> _Batch:
    """Opens the bundle and the file, and checks that they fit each other and the output."""
    _require_other_file(request)
    format_of(request.output, whole_rows=False)  # before anything large is read
    bundle = open_bundle(request.bundle, trust=chosen_trust(request.bundle, os.environ))
    rows, prefix = open_input(
        request.source,
        texts=_fitting(request.texts, bundle.task),
        columns=request.columns,
        answers=answer_names(bundle.task),
        prefix=request.prefix,
        whole_json=is_json_lines(request.output),
    )
    watched = WatchedInput(request.source)
    job = {
        "format": FORMAT,
        "input_sha256": watched.sha256,
        "bundle": bundle.hash,
        "product": bundle.description.product,
        "text_columns": [*rows.text_columns],
        "columns": None if request.columns is None else [*request.columns],
        "prefix": prefix,
        "output": request.output.suffix.lower(),
    }
    return _Batch(
        request=request,
        bundle=bundle.for_later(),
        rows=rows,
        prefix=prefix,
        format=format_of(request.output, whole_rows=isinstance(rows, JsonRows)),
        watched=watched,
        job=job,
    )


def _answer_missing(batch: _Batch, store: PartStore) -> tuple[int, int]:
    """Answers and stores the parts that are not done; how many rows the file has, and how many were answered."""
    progress = BatchProgress(batch.rows.lines)
    end = answered = 0

    def missing() -> Iterator[InputPart]:
        nonlocal end
        for part in parts_of(batch.rows):
            end = part.end
            if store.has(part.start, part.end):
                progress.skip(part)
            else:
                yield part

    parts = missing()
    if (first := next(parts, None)) is not None:
        with Answerers(batch.bundle, count=batch.workers) as answerers:
            answerers.require_ready()
            progress.start()
            for part, scored in answerers.answer(chain([first], parts)):
                _store(batch, store, part, scored)
                answered += part.rows
                progress.add(part)
    batch.watched.require_same()
    return end, answered


def _store(batch: _Batch, store: PartStore, part: InputPart, scored: Scored) -> None:
    """Writes the rows of a part with their answers."""
    answers = answer_table(batch.bundle.task, part, scored, prefix=batch.prefix)
    columns = [*part.kept.columns, *answers.columns]
    rows = pa.Table.from_arrays(columns, schema=batch.schema)
    errors = part.rows - answers.column(f"{batch.prefix}{ERROR}").null_count
    # After the rows were read and before they count as done.
    batch.watched.require_same()
    done = DonePart(part.start, part.end, errors)
    store.add(done, lambda path: batch.format.write_part(path, rows))


def _finished(batch: _Batch) -> BatchResult | None:
    """The outcome of this very job, where it has ended and nobody has changed its output; else None."""
    request = batch.request
    if not (request.receipt.is_file() and request.output.is_file()):
        return None
    receipt = read_json(request.receipt)
    if any(receipt.get(name) != value for name, value in batch.job.items()):
        return None
    if receipt["output_sha256"] != sha256_file(request.output):
        return None
    if is_begun(request.parts, batch.job):  # a kill came between the receipt and the end
        with open_parts(request.parts, batch.job, again=False, source=request.source) as store:
            store.remove()
    rows, errors = receipt["rows"], receipt["errors"]
    return BatchResult(rows=rows, errors=errors, answered=0, prefix=batch.prefix)


def _require_free(batch: _Batch) -> None:
    """Raises DataError for an output that is there, unless it may be replaced."""
    request = batch.request
    if request.output.exists() and not (request.again or is_begun(request.parts, batch.job)):
        raise DataError(
            f"{request.output.name} is there already, and is not what this command makes",
            expected="a new name, or the output of the same file, bundle and options",
            next_step="give another OUT, or replace it with --again",
        )


def _require_other_file(request: BatchRequest) -> None:
    source, output = request.source.resolve(), request.output.resolve()
    if output == source or output.is_dir():
        raise DataError(
            f"{request.output} as the file to write",
            expected="a file that is neither a folder nor the one with the texts",
            next_step="give another OUT",
        )


def _fitting(texts: Sequence[TextColumns], task: Task) -> list[TextColumns]:
    """The columns of so many texts as a request has."""
    count = 1 + task.pairs
    if found := [names for names in texts if len(names) == count]:
        return found
    reads = "pairs of texts" if task.pairs else "single texts"
    raise DataError(
        f"{'one column' if task.pairs else 'two columns'} of texts, for a model that reads {reads}",
        expected="the columns of both texts" if task.pairs else "the column of the texts",
        next_step="name the other one with --second" if task.pairs else "leave out --second",
    )
