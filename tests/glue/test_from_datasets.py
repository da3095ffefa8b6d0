"""GLUE through the `datasets` library: the rows that the official files give, or one message."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import DataError
from pipeline.glue.from_datasets import HUB_TASKS, write_official
from pipeline.glue.official_files import GlueRows, read_labelled, read_unlabelled
from pipeline.glue.tasks import TASKS
from tests.support.glue_datasets import (
    HUB,
    datasets,
    diagnostic_splits,
    hub_splits,
    write_parquet_files,
)
from tests.support.glue_files import write_glue, write_other_tasks


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("official")
    write_glue(data)
    write_other_tasks(data)
    train = data / "STS-B/train.tsv"  # scores that no float32 holds exactly
    train.write_text(train.read_text().replace("\t5.000\n", "\t3.7780\n"))
    return data


def saved(splits: Any, folder: Path) -> None:
    splits.save_to_disk(folder)


def written(task: str, folder: Path) -> dict[str, GlueRows]:
    """Rows by file."""
    labelled = ("train.tsv", *TASKS[task].development)
    return {name: read_labelled(TASKS[task], folder / task / name) for name in labelled} | {
        name: read_unlabelled(TASKS[task], folder / task / name) for name in TASKS[task].submissions
    }


@pytest.mark.parametrize(
    "write",
    [saved, write_parquet_files, partial(write_parquet_files, shards=2)],
    ids=["saved", "parquet", "parquet in shards"],
)
def test_rows_labels_and_order_are_those_of_the_official_files(
    official: Path, tmp_path: Path, write: Callable[[Any, Path], None]
) -> None:
    for task, (name, _, _) in HUB.items():
        write(hub_splits(official, task), tmp_path / "hub" / name)
    write(diagnostic_splits(official), tmp_path / "hub/ax")
    write_official(str(tmp_path / "hub"), tmp_path / "out", tasks=[])
    for task in TASKS:
        for file, rows in written(task, tmp_path / "out").items():
            expected = written(task, official)[file]
            assert (rows.texts, rows.seconds) == (expected.texts, expected.seconds), (task, file)
            assert rows.targets == expected.targets, (task, file)
            assert rows.malformed == 0
            if file in TASKS[task].submissions:
                assert rows.indices == [str(number) for number in range(len(rows.texts))]
    found, expected = (
        read_unlabelled(TASKS["MNLI"], data / "AX/test.tsv")
        for data in (tmp_path / "out", official)
    )
    assert (found.texts, found.seconds) == (expected.texts, expected.seconds)


def test_only_the_tasks_that_were_asked_for_are_written_and_mnli_brings_the_diagnostic_rows(
    official: Path, tmp_path: Path
) -> None:
    for task in ("RTE", "MNLI"):
        saved(hub_splits(official, task), tmp_path / "hub" / HUB[task][0])
    saved(diagnostic_splits(official), tmp_path / "hub/ax")
    for tasks, folders in ((["RTE"], {"RTE"}), (["MNLI"], {"MNLI", "AX"})):
        write_official(str(tmp_path / "hub"), tmp_path / "out", tasks=tasks)
        assert {path.name for path in (tmp_path / "out").iterdir()} == folders
    with pytest.raises(DataError, match="no qqp in"):
        write_official(str(tmp_path / "hub"), tmp_path / "out", tasks=["QQP"])


def test_tabs_and_line_ends_in_a_text_become_spaces(official: Path, tmp_path: Path) -> None:
    splits = hub_splits(official, "CoLA")
    text = 'One "quoted\tand\r\nbroken" text.'
    splits["train"] = changed(splits["train"], 0, sentence=text)
    saved(splits, tmp_path / "hub/cola")
    write_official(str(tmp_path / "hub"), tmp_path / "out", tasks=[])
    rows = written("CoLA", tmp_path / "out")["train.tsv"]
    assert rows.texts[0] == 'One "quoted and  broken" text.'
    assert len(rows.texts) == len(splits["train"])


def changed(rows: Any, place: int, **values: Any) -> Any:
    """The rows with other values in one place."""
    columns = rows.to_dict()
    for name, value in values.items():
        columns[name][place] = value
    return datasets.Dataset.from_dict(columns, features=rows.features)


BROKEN: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "a label of -1": (
        "RTE",
        lambda splits: splits.update(train=changed(splits["train"], 3, label=-1)),
        "rte, train, row 4: label '-1'",
    ),
    "labels of another task": (
        "WNLI",
        lambda splits: splits.update(
            train=splits["train"].cast_column("label", datasets.ClassLabel(names=["good", "bad"]))
        ),
        "wnli, train, row 1: label 'good'",
    ),
    "labels as lists": (
        "RTE",
        lambda splits: splits.update(
            train=splits["train"].map(
                lambda row: {"label": [row["label"]]},
                features=datasets.Features(
                    splits["train"].features | {"label": datasets.List(datasets.Value("int64"))}
                ),
            )
        ),
        r"rte, train, row 1: label '\[0\]'",
    ),
    "scores out of range": (
        "STS-B",
        lambda splits: splits.update(train=changed(splits["train"], 1, label=7.5)),
        r"stsb, train, row 2: label '7\.5'",
    ),
    "no text": (
        "CoLA",
        lambda splits: splits.update(validation=changed(splits["validation"], 0, sentence=None)),
        "cola, validation, row 1: sentence is None",
    ),
    "another column": (
        "CoLA",
        lambda splits: splits.update(train=splits["train"].rename_column("sentence", "text")),
        "cola, train has the columns text, label, idx",
    ),
    "no validation rows": ("CoLA", lambda splits: splits.pop("validation"), "has the splits"),
    "test rows in another order": (
        "CoLA",
        lambda splits: splits.update(test=splits["test"].select([1, 0, 2])),
        "cola, test: idx 1 in place 0",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_data_set_gets_one_message_and_what_was_written_stays(
    official: Path, tmp_path: Path, case: str
) -> None:
    task, spoil, message = BROKEN[case]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/earlier").write_text("kept")
    splits = hub_splits(official, task)
    spoil(splits)
    saved(splits, tmp_path / "hub" / HUB[task][0])
    with pytest.raises(DataError, match=message):
        write_official(str(tmp_path / "hub"), tmp_path / "out", tasks=[])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["earlier"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hub/none/there", "no folder hub/none/there"),
        ("./nowhere", r"no folder \./nowhere"),
        ("nobody/nothing", "no folder nobody/nothing, and the hub answered: "),
        ("empty", "none of GLUE's tasks in empty"),
        ("junk", "junk/cola: "),
    ],
)
def test_a_source_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk/cola").mkdir(parents=True)
    (tmp_path / "junk/cola/train.parquet").write_bytes(b"no Parquet at all")
    with pytest.raises(DataError, match=message):
        write_official(source, tmp_path / "out", tasks=[])
    assert not (tmp_path / "out").exists()


def test_without_the_library_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / HUB_TASKS["CoLA"].name).mkdir()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        DataError, match="--datasets cannot be read: import of datasets halted"
    ) as caught:
        write_official(str(tmp_path), tmp_path / "out", tasks=[])
    assert "make install" in caught.value.next_step
