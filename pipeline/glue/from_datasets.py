"""Writes GLUE's official files from its data sets, which the `datasets` library reads.

    python -m pipeline.glue.from_datasets --source NAME_OR_FOLDER --out FOLDER [--tasks CoLA,MRPC]

NAME_OR_FOLDER is a folder with one folder a task, named as on the hub (cola, sst2, …), each saved
by `save_to_disk` or as Parquet files named by split; or the name of a data set on the hub, with `@`
and a revision if you like, and only then is the network used. Labels are matched by their names:
the numbers of the library differ from ours.
"""

import argparse
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pipeline.core.errors import DataError, PipelineError
from pipeline.core.files import atomic_folder
from pipeline.core.progress import say
from pipeline.glue.dataset_sources import Splits, open_source
from pipeline.glue.official_files import target_of
from pipeline.glue.tasks import DIAGNOSTIC, TASKS, GlueTask


@dataclass(frozen=True)
class HubTask:
    """A task as the library spells it: `labels` are in the task's order, empty where they are its own."""

    name: str
    columns: tuple[str, ...]
    labels: tuple[str, ...] = ()


_PAIR = ("sentence1", "sentence2")
_INFERENCE = ("premise", "hypothesis")

HUB_TASKS = MappingProxyType(
    {
        "CoLA": HubTask("cola", ("sentence",), ("unacceptable", "acceptable")),
        "SST-2": HubTask("sst2", ("sentence",), ("negative", "positive")),
        "MRPC": HubTask("mrpc", _PAIR, ("not_equivalent", "equivalent")),
        "STS-B": HubTask("stsb", _PAIR),
        "QQP": HubTask("qqp", ("question1", "question2"), ("not_duplicate", "duplicate")),
        "MNLI": HubTask("mnli", _INFERENCE),
        "QNLI": HubTask("qnli", ("question", "sentence")),
        "RTE": HubTask("rte", _PAIR),
        "WNLI": HubTask("wnli", _PAIR, ("not_entailment", "entailment")),
        DIAGNOSTIC: HubTask("ax", _INFERENCE),
    }
)
"""Task, or folder of the diagnostic rows → its name, columns and labels in the library."""

# A line of the official files cannot hold these; a tokenizer reads them as spaces anyway.
_SEPARATORS = dict.fromkeys(map(ord, "\t\n\r"), " ")


def write_official(source: str, out: Path, *, tasks: Collection[str]) -> None:
    """Write the official files of `tasks` below `out`; without `tasks`, of all that the source has.

    Raises:
        DataError: the source cannot be read, lacks a task, or a row does not fit the task; the
            files in `out` are then unchanged.
    """
    with tempfile.TemporaryDirectory() as cache:
        opened = open_source(source, cache=cache)
        chosen = _chosen(source, opened.names, tasks)
        with atomic_folder(out) as folder:
            for name in chosen:
                rows = _write_task(name, opened.read(HUB_TASKS[name].name), folder / name)
                say(f"{name}  {rows:,} rows from {source}")


def _chosen(source: str, names: Collection[str], tasks: Collection[str]) -> list[str]:
    for task in tasks:
        if HUB_TASKS[task].name not in names:
            raise DataError(
                f"no {HUB_TASKS[task].name} in {source}",
                expected=f"a data set of that name for {task}",
                next_step="leave it out of --tasks, or correct --datasets",
            )
    present = [task for task, hub in HUB_TASKS.items() if hub.name in names]
    if not set(present) & set(TASKS):
        raise DataError(
            f"none of GLUE's tasks in {source}",
            expected=f"at least one of: {', '.join(HUB_TASKS[task].name for task in TASKS)}",
            next_step="give --datasets the folder that holds them, or a hub name as nyu-mll/glue",
        )
    # The model of MNLI answers the diagnostic rows.
    wanted = {*tasks, *((DIAGNOSTIC,) if "MNLI" in tasks else ())}
    return [task for task in present if not tasks or task in wanted]


def _write_task(name: str, splits: Splits, folder: Path) -> int:
    """Write the official files of one task into `folder`; returns how many rows they hold."""
    hub, task = HUB_TASKS[name], TASKS["MNLI" if name == DIAGNOSTIC else name]
    labelled = ("train.tsv", *task.development)
    files = ("test.tsv",) if name == DIAGNOSTIC else (*labelled, *task.submissions)
    folder.mkdir(parents=True)
    written = 0
    for file in files:
        split = Path(file).stem.replace("dev", "validation")
        if split in splits:
            rows, where = splits[split], f"{hub.name}, {split}"
            lines = _lines(task, hub, rows, labelled=file in labelled, where=where)
            (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
            written += len(rows)
        elif file in labelled or name == DIAGNOSTIC:
            raise _changed(f"{hub.name} has the splits {', '.join(splits)}", f"a split {split!r}")
    return written


def _lines(task: GlueTask, hub: HubTask, rows: Any, *, labelled: bool, where: str) -> list[str]:
    """The lines of the official file that holds the rows of one split."""
    columns = {
        ours: _texts(rows, theirs, where)
        for ours, theirs in zip(task.columns, hub.columns, strict=True)
    }
    if labelled:
        columns[task.label_column] = _targets(task, hub, rows, where)
    elif "idx" in rows.column_names:
        # A submission names a row by its place.
        for place, number in enumerate(rows["idx"][:]):
            if number != place:
                raise DataError(
                    f"{where}: idx {number} in place {place}",
                    expected="every row to be answered, in its official place",
                    next_step="take GLUE's data set, neither shuffled nor filtered",
                )
    header = task.header if labelled and task.header else ("index", *columns)
    numbers = [str(number) for number in range(len(rows))]
    lines = zip(*(columns.get(name, numbers) for name in header), strict=True)
    heads = [] if labelled and task.header else [header]
    return ["\t".join(fields) for fields in (*heads, *lines)]


def _targets(task: GlueTask, hub: HubTask, rows: Any, where: str) -> list[str]:
    """Labels or scores as the official files spell them, each checked."""
    values, feature = _column(rows, "label", where), rows.features["label"]
    names = getattr(feature, "names", None) or []
    official = dict(zip(hub.labels, task.labels, strict=False))
    if getattr(feature, "dtype", "") == "float32":
        values = [*np.array(values, np.float32)]  # spelled as the files do: 3.8, not 3.79999995
    targets = []
    for number, value in enumerate(values, start=1):
        text = names[value] if names and value in range(len(names)) else str(value)
        targets.append(official.get(text, text))
        target_of(task, targets[-1], where=f"{where}, row {number}")
    return targets


def _texts(rows: Any, column: str, where: str) -> list[str]:
    """The texts of a column, with spaces for the tabs and line ends that a file cannot hold."""
    texts = _column(rows, column, where)
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise _changed(f"{where}, row {number}: {column} is {text!r}", "a text")
    return [text.translate(_SEPARATORS) for text in texts]


def _column(rows: Any, name: str, where: str) -> list[Any]:
    if name not in rows.column_names:
        raise _changed(
            f"{where} has the columns {', '.join(rows.column_names)}", f"a column {name!r}"
        )
    values: list[Any] = rows[name][:]
    return values


def _changed(got: str, expected: str) -> DataError:
    return DataError(got, expected=expected, next_step="take GLUE's data set, unchanged")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="GLUE's rows from the `datasets` library")
    parser.add_argument("--source", required=True, metavar="NAME_OR_FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="folder of the official files")
    parser.add_argument("--tasks", default="", help="CoLA,MRPC,…; all that are there")
    options = parser.parse_args(arguments)
    tasks = [name for name in options.tasks.split(",") if name]
    write_official(options.source, options.out, tasks=tasks)


if __name__ == "__main__":
    try:
        main()
    except PipelineError as problem:
        sys.exit(str(problem))
