"""GLUE through the `datasets` library: its rows, written as the official files that all else reads.

    python -m pipeline.glue.from_datasets --source NAME_OR_FOLDER --out FOLDER [--tasks CoLA,MRPC]

NAME_OR_FOLDER is a folder with one folder a task, named as on the hub (cola, sst2, …), each saved by
`save_to_disk` or as Parquet files named by split; or the name of a data set on the hub, `@` its revision,
which alone touches the network. Labels go by their names, never by their numbers, which differ from ours.
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
from pipeline.glue.tasks import DIAGNOSTIC, TASKS, Task


@dataclass(frozen=True)
class Config:
    """A task as the library spells it.

    Attributes:
        columns: of the text, or of the first and the second.
        labels: names of the task's labels, in the task's order; empty where both spell them alike.
    """

    name: str
    columns: tuple[str, ...]
    labels: tuple[str, ...] = ()


_PAIR = ("sentence1", "sentence2")
_INFERENCE = ("premise", "hypothesis")

CONFIGS = MappingProxyType(
    {
        "CoLA": Config("cola", ("sentence",), ("unacceptable", "acceptable")),
        "SST-2": Config("sst2", ("sentence",), ("negative", "positive")),
        "MRPC": Config("mrpc", _PAIR, ("not_equivalent", "equivalent")),
        "STS-B": Config("stsb", _PAIR),
        "QQP": Config("qqp", ("question1", "question2"), ("not_duplicate", "duplicate")),
        "MNLI": Config("mnli", _INFERENCE),
        "QNLI": Config("qnli", ("question", "sentence")),
        "RTE": Config("rte", _PAIR),
        "WNLI": Config("wnli", _PAIR, ("not_entailment", "entailment")),
        DIAGNOSTIC[0]: Config("ax", _INFERENCE),
    }
)
"""Task, or folder of the diagnostic rows → its name, columns and labels in the library."""

_LABEL, _NUMBER = "label", "idx"
# What a line of the official files cannot hold. A tokenizer of words reads a space in each of them.
_SEPARATORS = dict.fromkeys(map(ord, "\t\n\r"), " ")


def write_official(source: str, out: Path, *, tasks: Collection[str]) -> None:
    """Write the official files of every task of `tasks` (all that are there, if empty) below `out`.

    Raises:
        DataError: the source cannot be read, lacks a task, or a row is not what the task allows; what
            stood in `out` stays.
    """
    with tempfile.TemporaryDirectory() as cache:
        opened = open_source(source, cache=cache)
        chosen = _chosen(source, opened.names(), tasks)
        with atomic_folder(out) as folder:
            for name in chosen:
                rows = _write_task(name, opened.read(CONFIGS[name].name), folder / name)
                say(f"{name}  {rows:,} rows from {source}")


def _chosen(source: str, names: Collection[str], tasks: Collection[str]) -> list[str]:
    for task in tasks:
        if CONFIGS[task].name not in names:
            raise DataError(
                f"no {CONFIGS[task].name} in {source}",
                expected=f"a data set of that name for {task}",
                next_step="leave it out of --tasks, or correct --datasets",
            )
    there = [task for task, config in CONFIGS.items() if config.name in names]
    if not set(there) & set(TASKS):
        raise DataError(
            f"none of GLUE's tasks in {source}",
            expected=f"at least one of: {', '.join(CONFIGS[task].name for task in TASKS)}",
            next_step="give --datasets the folder that holds them, or a hub name as nyu-mll/glue",
        )
    # The model of MNLI answers the diagnostic rows.
    wanted = {*tasks, *((DIAGNOSTIC[0],) if "MNLI" in tasks else ())}
    return [task for task in there if not tasks or task in wanted]


def _write_task(name: str, splits: Splits, folder: Path) -> int:
    """Write one folder of official files; returns how many rows they hold."""
    if name == DIAGNOSTIC[0]:
        return _write(
            folder / "test.tsv", TASKS["MNLI"], CONFIGS[name], _split(splits, "test", name)
        )
    task, rows = TASKS[name], 0
    for file in ("train.tsv", *task.development):
        found = _split(splits, _split_of(file), name)
        rows += _write(folder / file, task, CONFIGS[name], found, labelled=True)
    for file in task.submissions:
        if _split_of(file) in splits:
            rows += _write(folder / file, task, CONFIGS[name], splits[_split_of(file)])
    return rows


def _split_of(file: str) -> str:
    return Path(file).stem.replace("dev", "validation")


def _split(splits: Splits, split: str, name: str) -> Any:
    if split not in splits:
        raise DataError(
            f"{CONFIGS[name].name} has the splits {', '.join(splits)}",
            expected=f"a split {split!r}",
            next_step="take GLUE's data set, unchanged",
        )
    return splits[split]


def _write(path: Path, task: Task, config: Config, rows: Any, *, labelled: bool = False) -> int:
    where = f"{config.name}, {_split_of(path.name)}"
    columns = {
        ours: _texts(rows, theirs, where)
        for ours, theirs in zip(task.columns, config.columns, strict=True)
    }
    if labelled:
        columns[task.label_column] = _targets(rows, task, config, where)
    else:
        _check_order(rows, where)
    header = task.header if labelled and task.header else ("index", *columns)
    numbers = [str(number) for number in range(len(rows))]
    fields = [columns.get(name, numbers) for name in header]
    lines = [] if labelled and task.header else ["\t".join(header)]
    lines += map("\t".join, zip(*fields, strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return len(rows)


def _texts(rows: Any, column: str, where: str) -> list[str]:
    """A column's texts, without the tabs and line ends that would cut a line of the files."""
    texts = []
    for number, text in enumerate(_column(rows, column, where), start=1):
        if not isinstance(text, str):
            raise DataError(
                f"{where}, row {number}: {column} is {text!r}",
                expected="a text",
                next_step="take GLUE's data set, unchanged",
            )
        texts.append(text.translate(_SEPARATORS))
    return texts


def _targets(rows: Any, task: Task, config: Config, where: str) -> list[str]:
    """Labels or scores as the official files spell them, each checked."""
    values = _column(rows, _LABEL, where)
    feature = rows.features[_LABEL]
    names = getattr(feature, "names", None) or []
    official = dict(zip(config.labels, task.labels, strict=False))
    if getattr(feature, "dtype", "") == "float32":
        values = [*np.array(values, np.float32)]  # spelled as the files do: 3.8, not 3.79999995
    targets = []
    for number, value in enumerate(values, start=1):
        text = names[value] if names and value in range(len(names)) else str(value)
        target_of(task, official.get(text, text), where=f"{where}, row {number}")
        targets.append(official.get(text, text))
    return targets


def _check_order(rows: Any, where: str) -> None:
    """A submission names rows by their place, so none may be missing or moved."""
    if _NUMBER not in rows.column_names:
        return
    for place, number in enumerate(rows[_NUMBER][:]):
        if number != place:
            raise DataError(
                f"{where}: {_NUMBER} {number} in place {place}",
                expected="every row to be answered, in its official place",
                next_step="take GLUE's data set, neither shuffled nor filtered",
            )


def _column(rows: Any, name: str, where: str) -> list[Any]:
    if name not in rows.column_names:
        raise DataError(
            f"{where} has the columns {', '.join(rows.column_names)}",
            expected=f"a column {name!r}",
            next_step="take GLUE's data set, unchanged",
        )
    values: list[Any] = rows[name][:]
    return values


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
