"""The small GLUE files as data sets, spelled as on the hub: other names, and labels by other numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.glue.official_files import GlueRows, read_labelled, read_unlabelled
from pipeline.glue.tasks import TASKS

datasets = pytest.importorskip(
    "datasets", reason="the library `datasets` is not installed: `make install` brings it"
)
_SENTENCE, _PAIR = ("sentence",), ("sentence1", "sentence2")
_INFERENCE = ("premise", "hypothesis")
# Task → name, columns, and the labels in the order of their numbers.
HUB: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "CoLA": ("cola", _SENTENCE, ("unacceptable", "acceptable")),
    "SST-2": ("sst2", _SENTENCE, ("negative", "positive")),
    "MRPC": ("mrpc", _PAIR, ("not_equivalent", "equivalent")),
    "STS-B": ("stsb", _PAIR, ()),
    "QQP": ("qqp", ("question1", "question2"), ("not_duplicate", "duplicate")),
    "MNLI": ("mnli", _INFERENCE, ("entailment", "neutral", "contradiction")),
    "QNLI": ("qnli", ("question", "sentence"), ("entailment", "not_entailment")),
    "RTE": ("rte", _PAIR, ("entailment", "not_entailment")),
    "WNLI": ("wnli", _PAIR, ("not_entailment", "entailment")),
}


def hub_splits(data: Path, name: str) -> Any:
    """One task of the official files in `data` as a `datasets.DatasetDict`."""
    task, (_, columns, labels) = TASKS[name], HUB[name]
    found = {}
    for file in ("train.tsv", *task.development):
        rows = read_labelled(task, data / name / file)
        numbers = rows.targets
        if labels:
            official = task.labels if set(labels) == set(task.labels) else labels
            numbers = [labels.index(official[int(target)]) for target in rows.targets]
        found[_split_of(file)] = _dataset(rows, columns, labels, numbers)
    for file in task.submissions:
        rows = read_unlabelled(task, data / name / file)
        found[_split_of(file)] = _dataset(rows, columns, labels)
    return datasets.DatasetDict(found)


def diagnostic_splits(data: Path) -> Any:
    """The diagnostic rows."""
    rows = read_unlabelled(TASKS["MNLI"], data / "AX/test.tsv")
    return datasets.DatasetDict({"test": _dataset(rows, *HUB["MNLI"][1:])})


def write_parquet_files(splits: Any, folder: Path, *, shards: int = 1) -> None:
    """The files that a data set on the hub consists of."""
    folder.mkdir(parents=True)
    for split, rows in splits.items():
        for number in range(shards):
            name = f"{split}-{number:05}-of-{shards:05}.parquet"
            rows.shard(shards, number, contiguous=True).to_parquet(folder / name)


def _split_of(file: str) -> str:
    return file.removesuffix(".tsv").replace("dev", "validation")


def _dataset(
    rows: GlueRows, columns: tuple[str, ...], labels: tuple[str, ...], numbers: Any = None
) -> Any:
    kind = datasets.ClassLabel(names=list(labels)) if labels else datasets.Value("float32")
    features = {**dict.fromkeys(columns, datasets.Value("string")), "label": kind}
    features["idx"] = datasets.Value("int32")
    count = len(rows.texts)
    values = dict(zip(columns, (rows.texts, rows.seconds), strict=False))
    values |= {"label": numbers or [-1] * count, "idx": list(range(count))}
    return datasets.Dataset.from_dict(values, features=datasets.Features(features))
